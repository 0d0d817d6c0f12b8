" auditlint for Vim and Neovim with ALE. ALE finds this file by its place in the runtime path.

call ale#Set('terraform_auditlint_executable', 'auditlint')
call ale#Set('terraform_auditlint_options', '')

function! s:Command(buffer) abort
    return '%e lsp' . ale#Pad(ale#Var(a:buffer, 'terraform_auditlint_options'))
endfunction

function! s:Root(buffer) abort
    let l:config = ale#path#FindNearestFile(a:buffer, '.auditlint.yaml')

    if !empty(l:config)
        return fnamemodify(l:config, ':p:h')
    endif

    let l:git = ale#path#FindNearestDirectory(a:buffer, '.git')

    return fnamemodify(empty(l:git) ? bufname(a:buffer) : l:git, empty(l:git) ? ':p:h' : ':p:h:h')
endfunction

call ale#linter#Define('terraform', {
\   'name': 'auditlint',
\   'lsp': 'stdio',
\   'executable': {buffer -> ale#Var(buffer, 'terraform_auditlint_executable')},
\   'command': function('s:Command'),
\   'project_root': function('s:Root'),
\   'language': 'terraform',
\})
