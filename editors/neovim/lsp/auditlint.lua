-- auditlint for Neovim 0.11 and later: put this file into a folder `lsp/` of the runtime path, then
-- `vim.lsp.enable('auditlint')`.

-- Terraform by its file type. JSON and YAML are taken by name or content: most of them are none of ours.
local terraform = {
  ['terraform'] = true,
  ['terraform-vars'] = true,
  ['opentofu'] = true,
  ['opentofu-vars'] = true,
  -- An empty `.tf` is taken for something else until it has a line.
  ['tf'] = true,
}

---@param bufnr integer
local function is_ours(bufnr)
  if terraform[vim.bo[bufnr].filetype] then
    return true
  end
  local name = vim.fs.basename(vim.api.nvim_buf_get_name(bufnr))
  if name == '.auditlint.yaml' or name:match('%.tf%.json$') or name:match('%.tofu%.json$') or name:match('%.tfvars%.json$') then
    return true
  end
  for _, line in ipairs(vim.api.nvim_buf_get_lines(bufnr, 0, 200, false)) do
    if line:match('^logging_policy:') or line:match('^%s*"logging_policy"%s*:') or line:match('^kind:%s*"?LoggingPolicy') then
      return true
    end
  end
  return false
end

---@type vim.lsp.Config
return {
  cmd = { 'auditlint', 'lsp' },
  filetypes = { 'terraform', 'terraform-vars', 'opentofu', 'opentofu-vars', 'tf', 'json', 'yaml' },
  -- The server starts for a buffer only when `on_dir` is called.
  root_dir = function(bufnr, on_dir)
    if is_ours(bufnr) then
      local file = vim.api.nvim_buf_get_name(bufnr)
      on_dir(vim.fs.root(bufnr, { '.auditlint.yaml', '.git', '.terraform' }) or vim.fs.dirname(file))
    end
  end,
}
