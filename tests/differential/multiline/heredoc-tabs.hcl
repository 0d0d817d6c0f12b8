<<-EOT
	a
	  b
  EOT
