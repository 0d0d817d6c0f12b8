;;; auditlint-eglot.el --- auditlint through eglot  -*- lexical-binding: t; -*-

;; Load this file from your init file, then `M-x eglot' in a Terraform buffer, or `eglot-ensure' from
;; `terraform-mode-hook'.  eglot talks to one server for each mode: this takes the place of terraform-ls there.

;;; Code:

(defvar eglot-server-programs)

(with-eval-after-load 'eglot
  (add-to-list 'eglot-server-programs
               '((terraform-mode :language-id "terraform") . ("auditlint" "lsp"))))

(provide 'auditlint-eglot)
;;; auditlint-eglot.el ends here
