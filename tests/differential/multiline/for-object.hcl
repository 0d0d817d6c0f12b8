{
  for k, v in {
    b = 1
    a = 2
  } :
  k => v * 2
  if v > 1
}
