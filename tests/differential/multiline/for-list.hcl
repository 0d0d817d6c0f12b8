[
  for x in ["a", "b"] :
  upper(x)
  if x != "a"
]
