" One session in Vim with ALE and the linter of editors/vim: writes ALE's list of locations, first for the file as it
" is, then with an unsaved change, to $OUT.
set nocompatible nobackup noswapfile hidden
set packpath+=/usr/share/vim/vimfiles
let &runtimepath .= ',' . $EDITORS . '/vim'
let g:ale_linters_explicit = 1
let g:ale_linters = {'terraform': ['auditlint']}
packadd! ale
filetype plugin on

function! s:Seen() abort
  return map(copy(ale#engine#GetLoclist(bufnr(''))), '[v:val.lnum, v:val.col, v:val.type, get(v:val, "code", ""), v:val.text]')
endfunction

" Waits until the list is not what it was.
function! s:Changed(before) abort
  for l:n in range(400)
    if s:Seen() != a:before
      return s:Seen()
    endif
    sleep 50m
  endfor
  return ['timed out']
endfunction

function! Session() abort
  execute 'edit ' . fnameescape($FILE)
  set filetype=terraform
  ALELint
  let l:first = s:Changed([])
  call setline(3, '  retention_in_days = 60')
  ALELint
  let l:second = s:Changed(l:first)
  call setline(3, '  retention_in_days = 90')
  ALELint
  let l:third = s:Changed(l:second)
  call writefile(map([l:first, l:second, l:third], 'json_encode(v:val)'), $OUT)
  qall!
endfunction
