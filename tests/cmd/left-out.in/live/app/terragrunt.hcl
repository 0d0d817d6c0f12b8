terraform {
  source = "git::https://example.com/modules.git//app?ref=v1"
}

inputs = {
  days = 7
}
