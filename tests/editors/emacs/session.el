;;; session.el --- One session in Emacs with eglot  -*- lexical-binding: t; -*-

;; emacs -Q --batch -l session.el, with FILE, EDITORS and `auditlint' on PATH.  What the file holds afterwards is
;; compared outside of Emacs.

;;; Code:

(require 'package)
;; Debian's eglot for Emacs 28; later ones bring their own.
(dolist (folder '("/usr/share/emacs/site-lisp/elpa" "/usr/share/emacs/site-lisp/elpa-src"))
  (add-to-list 'package-directory-list folder))
(package-initialize)
(require 'eglot)
(require 'cl-lib)
(load (expand-file-name "emacs/auditlint-eglot.el" (getenv "EDITORS")) nil t)

;; Stands in for the package of that name, which Emacs does not bring along.
(define-derived-mode terraform-mode prog-mode "Terraform"
  (setq-local comment-start "# "))
(add-to-list 'auto-mode-alist '("\\.tf\\'" . terraform-mode))

(setq eglot-sync-connect 20
      eglot-confirm-server-initiated-edits nil
      eglot-send-changes-idle-time 0
      make-backup-files nil
      create-lockfiles nil)

(defun session-seen ()
  "The findings that flymake shows, as texts that begin with the line."
  ;; There is no idle time in a batch, in which changes would be sent and backends be asked.
  (eglot--signal-textDocument/didChange)
  (flymake-start)
  (mapcar (lambda (one)
            (format "%d: %s" (line-number-at-pos (flymake-diagnostic-beg one)) (flymake-diagnostic-text one)))
          (flymake-diagnostics)))

(defun session-wait (what holds)
  "Wait until HOLDS gives non-nil; WHAT names it in the error."
  (let ((deadline (+ (float-time) 20)))
    (while (not (funcall holds))
      (when (> (float-time) deadline)
        (error "Timed out: %s, with %S" what (session-seen)))
      (accept-process-output nil 0.05))))

(defun session-expect (pattern)
  "Wait until there is one finding, and it matches PATTERN."
  (session-wait pattern
                (lambda ()
                  (let ((seen (session-seen)))
                    (and (= (length seen) 1) (string-match-p pattern (car seen))))))
  (message "saw %s" (car (session-seen))))

(defun session-line-3 (text)
  "Put TEXT into line 3."
  (goto-char (point-min))
  (forward-line 2)
  (delete-region (point) (line-end-position))
  (insert text))

(find-file (getenv "FILE"))
(apply #'eglot (eglot--guess-contact))
(session-expect "3: .*keeps events for 30 days, the policy asks for 90 days")
(session-line-3 "  retention_in_days = 120")
(session-wait "no finding" (lambda () (null (session-seen))))
(session-line-3 "  retention_in_days = 30")
(session-expect "3: .*keeps events for 30 days, the policy asks for 90 days")

;; The user's command, and a user who picks the fix by its title.
(let ((last-nonmenu-event ?\r))
  (cl-letf (((symbol-function 'completing-read)
             (lambda (_prompt table &rest _)
               (or (car (all-completions "set retention_in_days to 90" table))
                   (error "No such action in %S" table)))))
    (eglot-code-actions (- (point) 2) (point) "quickfix" t)))
(save-buffer)
(unless (getenv "WRONG")
  (session-wait "no finding after the fix" (lambda () (null (session-seen)))))
(eglot-shutdown (eglot-current-server))

;;; session.el ends here
