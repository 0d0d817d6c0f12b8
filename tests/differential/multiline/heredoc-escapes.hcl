<<EOT
$${a} %%{b} \n \t "q" $ % \\
EOT
