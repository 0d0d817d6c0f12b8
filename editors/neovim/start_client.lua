-- auditlint for Neovim 0.7: source this file from your init.lua.
local clients = {} -- by folder

local function root_of(file)
  local folder = vim.fn.fnamemodify(file, ':p:h')
  for _, marker in ipairs({ '.auditlint.yaml', '.git', '.terraform' }) do
    for _, found in ipairs({ vim.fn.findfile(marker, folder .. ';'), vim.fn.finddir(marker, folder .. ';') }) do
      if found ~= '' then
        return vim.fn.fnamemodify(found, ':p:s?/$??:h')
      end
    end
  end
  return folder
end

vim.api.nvim_create_autocmd({ 'BufReadPost', 'BufNewFile' }, {
  group = vim.api.nvim_create_augroup('auditlint', {}),
  pattern = { '*.tf', '*.tofu', '*.tfvars', '*.tf.json', '*.tofu.json', '*.tfvars.json', '.auditlint.yaml' },
  callback = function(event)
    local root = root_of(event.match)
    if not clients[root] or vim.lsp.client_is_stopped(clients[root]) then
      clients[root] = vim.lsp.start_client({ name = 'auditlint', cmd = { 'auditlint', 'lsp' }, root_dir = root })
    end
    vim.lsp.buf_attach_client(event.buf, clients[root])
  end,
})
