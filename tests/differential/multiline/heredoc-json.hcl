jsondecode(<<EOT
{
  "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "${"arn"}"}]
}
EOT
)
