{
  a = 1
  b = "x",
  "c" : [
    1,
    2,
  ]
  # a comment
  d = { e = true } // another
}
