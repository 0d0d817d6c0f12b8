-- auditlint for Neovim 0.8 to 0.10: source this file from your init.lua.
vim.api.nvim_create_autocmd({ 'BufReadPost', 'BufNewFile' }, {
  group = vim.api.nvim_create_augroup('auditlint', {}),
  pattern = { '*.tf', '*.tofu', '*.tfvars', '*.tf.json', '*.tofu.json', '*.tfvars.json', '.auditlint.yaml' },
  callback = function(event)
    local found = vim.fs.find({ '.auditlint.yaml', '.git', '.terraform' }, { upward = true, path = vim.fs.dirname(event.match) })
    vim.lsp.start({
      name = 'auditlint',
      cmd = { 'auditlint', 'lsp' },
      root_dir = vim.fs.dirname(found[1] or event.match),
    })
  end,
})
