[
  1, # one
  2, // two
  /* three
     lines */
  3,
]
