;;; auditlint-lsp-mode.el --- auditlint through lsp-mode  -*- lexical-binding: t; -*-

;; Load this file from your init file, then `M-x lsp' in a Terraform buffer, or `lsp-deferred' from
;; `terraform-mode-hook'.  The client is an add-on: it runs beside terraform-ls.

;;; Code:

(declare-function lsp-register-client "lsp-mode")
(declare-function lsp-stdio-connection "lsp-mode")
(declare-function make-lsp-client "lsp-mode")

(defun auditlint-lsp-mode-activate-p (file-name _mode)
  "Whether FILE-NAME is Terraform, OpenTofu or the configuration of auditlint."
  (and file-name
       (string-match-p "\\(?:\\.\\(?:tf\\|tofu\\|tfvars\\)\\(?:\\.json\\)?\\|/\\.auditlint\\.yaml\\)\\'" file-name)))

(with-eval-after-load 'lsp-mode
  (lsp-register-client
   (make-lsp-client :server-id 'auditlint
                    :new-connection (lsp-stdio-connection '("auditlint" "lsp"))
                    :activation-fn #'auditlint-lsp-mode-activate-p
                    :add-on? t)))

(provide 'auditlint-lsp-mode)
;;; auditlint-lsp-mode.el ends here
