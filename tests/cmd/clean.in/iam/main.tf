resource "aws_iam_group" "operators" {
  name = "operators"
}
