(
  true
  ? "a"
  : "b"
)
