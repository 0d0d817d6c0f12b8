/** What this module knows of a document filter; the editor's own type fits it. */
export interface Filter {
  readonly scheme: 'file';
  readonly language?: string;
  readonly pattern?: string;
}

/** The languages of other extensions whose documents are Terraform. */
const LANGUAGES = ['terraform', 'terraform-vars', 'opentofu', 'opentofu-vars'];

/** Terraform by name, for an editor without any extension that knows the language. */
const PATTERNS = ['**/*.{tf,tofu,tfvars}', '**/*.{tf,tofu,tfvars}.json', '**/.auditlint.yaml'];

/** The documents that the server is told of: Terraform by language or by name, and policies. */
export function documentSelector(policyFiles: readonly string[]): Filter[] {
  return [
    ...LANGUAGES.map((language): Filter => ({ scheme: 'file', language })),
    ...[...PATTERNS, ...policyFiles].map((pattern): Filter => ({ scheme: 'file', pattern })),
  ];
}
