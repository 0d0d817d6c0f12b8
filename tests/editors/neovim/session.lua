-- One session in Neovim: sees the finding, edits without saving, takes the fix, saves.
--
-- SETUP is how the server is made known (`enable`, or a file of editors/neovim to source), FILE the file to edit,
-- FIX how the fix is taken: by `hand`, or on `save`. The server is `auditlint` on PATH. What the file holds afterwards is compared outside of Neovim.
local function say(text)
  io.stdout:write(text .. '\n')
end

local function wait(what, holds)
  assert(vim.wait(20000, holds, 20), 'timed out: ' .. what)
end

local function messages()
  local out = {}
  for _, one in ipairs(vim.diagnostic.get(0)) do
    local code = one.code or (one.user_data and one.user_data.lsp and one.user_data.lsp.code)
    table.insert(out, ('%d:%d %s %s %s'):format(one.lnum + 1, one.col + 1, one.source, tostring(code), one.message))
  end
  return out
end

local function expect(message)
  wait(message, function()
    local all = messages()
    return #all == 1 and all[1] == message
  end)
  say('saw ' .. message)
end

-- 0.7 cannot filter actions, and its command asks the user: the request and the edit are sent as it would.
local function take_fix_by_hand(title)
  local params = vim.lsp.util.make_range_params()
  params.context = { diagnostics = vim.lsp.diagnostic.get_line_diagnostics(0) }
  local client, answer = next(assert(vim.lsp.buf_request_sync(0, 'textDocument/codeAction', params, 20000)))
  for _, action in ipairs(answer.result) do
    if action.title == title then
      return vim.lsp.util.apply_workspace_edit(action.edit, vim.lsp.get_client_by_id(client).offset_encoding)
    end
  end
  error('no such action: ' .. title)
end

local function take_fix(title)
  if vim.fn.has('nvim-0.8') == 0 then
    return take_fix_by_hand(title)
  end
  vim.lsp.buf.code_action({
    apply = true,
    filter = function(action)
      return action.title == title
    end,
  })
end

local function session()
  if vim.env.SETUP == 'enable' then
    vim.opt.runtimepath:prepend(vim.env.EDITORS .. '/neovim')
    vim.lsp.enable('auditlint')
  else
    vim.cmd('source ' .. vim.env.EDITORS .. '/neovim/' .. vim.env.SETUP)
  end
  vim.cmd('edit ' .. vim.env.FILE)
  local rule = 'auditlint aws/cloudwatch/log-group-retention'
  expect('3:23 ' .. rule .. ' keeps events for 30 days, the policy asks for 90 days')

  -- Unsaved: the finding follows the text, goes, and comes back.
  vim.api.nvim_buf_set_lines(0, 0, 0, false, { '# 🪵' })
  expect('4:23 ' .. rule .. ' keeps events for 30 days, the policy asks for 90 days')
  vim.api.nvim_buf_set_lines(0, 3, 4, false, { '  retention_in_days = 120' })
  wait('no finding', function()
    return #vim.diagnostic.get(0) == 0
  end)
  vim.api.nvim_buf_set_lines(0, 0, 1, false, {})
  vim.api.nvim_buf_set_lines(0, 2, 3, false, { '  retention_in_days = 30' })
  expect('3:23 ' .. rule .. ' keeps events for 30 days, the policy asks for 90 days')

  if vim.env.FIX == 'save' then
    vim.cmd('source ' .. vim.env.EDITORS .. '/neovim/fix_on_save.lua')
    vim.cmd('write')
    assert(not vim.bo.modified)
    return
  end
  vim.api.nvim_win_set_cursor(0, { 3, 22 })
  local before = vim.api.nvim_buf_get_changedtick(0)
  take_fix('set retention_in_days to 90')
  wait('the fix in the buffer', function()
    return vim.api.nvim_buf_get_changedtick(0) ~= before
  end)
  vim.cmd('write')
  if vim.env.WRONG == nil then
    wait('no finding after the fix', function()
      return #vim.diagnostic.get(0) == 0
    end)
  end
end

local ok, problem = xpcall(session, debug.traceback)
if not ok then
  say(tostring(problem))
  say('diagnostics: ' .. table.concat(messages(), ' | '))
  vim.cmd('cquit 1')
end
vim.cmd('qall!')
