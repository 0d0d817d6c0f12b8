{
  for u in [
    { name = "a", role = "x" },
    { name = "b", role = "y" },
    { name = "c", role = "x" },
  ] :
  u.role => u.name...
}
