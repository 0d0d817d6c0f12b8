jsonencode({
  Version = "2012-10-17"
  Statement = [
    for s in [{ id = "A", actions = ["s3:Get*"] }, { id = "B", actions = [] }] : {
      Sid    = s.id
      Effect = "Allow"
      Action = length(s.actions) > 0 ? s.actions : ["*"]
    }
  ]
})
