{
  for name, given in {
    one = { days = 30 }
    two = {}
  } : name => merge({ days = 365, class = "STANDARD" }, given)
}
