-- Applies the fixes that need no decision before a file is written. Neovim 0.7 and later.
local kind = 'source.fixAll.auditlint'

vim.api.nvim_create_autocmd('BufWritePre', {
  group = vim.api.nvim_create_augroup('auditlint_fix_on_save', {}),
  pattern = { '*.tf', '*.tofu', '*.tfvars', '*.tf.json', '*.tofu.json', '*.tfvars.json' },
  callback = function(event)
    local top = { line = 0, character = 0 }
    local params = {
      textDocument = { uri = vim.uri_from_bufnr(event.buf) },
      range = { start = top, ['end'] = top },
      context = { only = { kind }, diagnostics = {} },
    }
    -- The write waits for the answer, a second at most.
    local answers = vim.lsp.buf_request_sync(event.buf, 'textDocument/codeAction', params, 1000)
    for id, answer in pairs(answers or {}) do
      for _, action in ipairs(answer.result or {}) do
        if action.kind == kind and action.edit then
          vim.lsp.util.apply_workspace_edit(action.edit, vim.lsp.get_client_by_id(id).offset_encoding)
        end
      end
    end
  end,
})
