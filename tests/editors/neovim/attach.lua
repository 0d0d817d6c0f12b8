-- Which buffers lsp/auditlint.lua is taken for. FOLDER is an empty folder.
local cases = {
  ['main.tf'] = { 'resource "a" "b" {', '}', wanted = true },
  ['empty.tf'] = { wanted = true },
  ['prod.tfvars'] = { 'a = 1', wanted = true },
  ['main.tf.json'] = { '{}', wanted = true },
  ['prod.tfvars.json'] = { '{}', wanted = true },
  ['package.json'] = { '{}', wanted = false },
  ['.auditlint.yaml'] = { 'policy: [company.yaml]', wanted = true },
  ['company.yaml'] = { '# Ours', 'logging_policy:', '  authentication: {}', wanted = true },
  ['policy.json'] = { '{', '  "logging_policy": {}', '}', wanted = true },
  ['workflow.yaml'] = { 'on: push', wanted = false },
  ['notes.txt'] = { 'logging_policy:', wanted = false },
}

local function main()
  vim.opt.runtimepath:prepend(vim.env.EDITORS .. '/neovim')
  vim.lsp.enable('auditlint')
  local missing, stray = {}, {}
  local function look()
    missing, stray = {}, {}
    for _, case in pairs(cases) do
      local is_attached = #vim.lsp.get_clients({ bufnr = case.buffer, name = 'auditlint' }) > 0
      if is_attached ~= case.wanted then
        table.insert(case.wanted and missing or stray, case.file)
      end
    end
    return #missing == 0
  end
  for name, case in pairs(cases) do
    case.file = vim.fs.joinpath(vim.env.FOLDER, name)
    vim.fn.writefile({ unpack(case) }, case.file)
    vim.cmd.edit(case.file)
    case.buffer = vim.api.nvim_get_current_buf()
  end
  vim.wait(20000, look, 20)
  -- Whatever else was to be taken has had its turn.
  vim.wait(200)
  look()
  assert(#missing == 0, 'left alone: ' .. table.concat(missing, ', '))
  assert(#stray == 0, 'taken: ' .. table.concat(stray, ', '))
  -- One server for the folder, whatever the number of buffers.
  assert(#vim.lsp.get_clients({ name = 'auditlint' }) == 1)
end

local ok, problem = xpcall(main, debug.traceback)
if not ok then
  io.stdout:write(tostring(problem) .. '\n')
  vim.cmd('cquit 1')
end
vim.cmd('qall!')
