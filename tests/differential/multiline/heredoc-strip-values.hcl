<<EOT
a
   ${~ "x" ~}
b
EOT
