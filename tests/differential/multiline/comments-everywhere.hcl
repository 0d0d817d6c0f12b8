[ # a
  for /* b */ k, v # c
  in { a = 1 } : # d
  k # e
  == "a" /* f
  */ ? # g
  v : # h
  0
  if # i
  true
]
