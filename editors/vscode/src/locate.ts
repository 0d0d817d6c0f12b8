import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

/** Where to look for the server. */
export interface Places {
  /** The setting `auditlint.server.path`; empty when it is not set. */
  readonly setting: string;
  /** The folder of the extension. */
  readonly extension: string;
  /** The first folder of the workspace, for a relative path in the setting. */
  readonly workspace: string | undefined;
  /** The environment variable `PATH`. */
  readonly searchPath: string;
  readonly platform: NodeJS.Platform;
}

/** The server, or why there is none. */
export type Located =
  | { readonly kind: 'found'; readonly command: string; readonly origin: 'setting' | 'bundled' | 'PATH' }
  | { readonly kind: 'missing'; readonly reason: string };

/**
 * Finds the server: the setting, then the binary inside of the extension, then `PATH`.
 *
 * A setting that names nothing runnable is an error. Another binary in its place would have findings of its own
 * and nobody would know why.
 */
export function locate(places: Places): Located {
  const setting = places.setting.trim();
  if (setting !== '') return configured(setting, places);
  const bundled = path.join(places.extension, 'server', executable('auditlint', places.platform));
  if (isRunnable(bundled)) return { kind: 'found', command: bundled, origin: 'bundled' };
  const command = onSearchPath('auditlint', places);
  if (command !== undefined) return { kind: 'found', command, origin: 'PATH' };
  return {
    kind: 'missing',
    reason: 'There is no auditlint binary: none came with the extension and none is on PATH. Install auditlint, or name the binary in the setting auditlint.server.path.',
  };
}

function configured(setting: string, places: Places): Located {
  const missing = (what: string): Located => ({
    kind: 'missing',
    reason: `The setting auditlint.server.path names ${setting}, ${what}.`,
  });
  if (setting === path.basename(setting)) {
    const command = onSearchPath(setting, places);
    return command === undefined ? missing('which is not on PATH') : { kind: 'found', command, origin: 'setting' };
  }
  let command = setting;
  if (/^~[/\\]/.test(setting)) {
    command = path.join(os.homedir(), setting.slice(2));
  } else if (!path.isAbsolute(setting)) {
    if (places.workspace === undefined) return missing('a relative path, and no folder is open');
    command = path.join(places.workspace, setting);
  }
  return isRunnable(command)
    ? { kind: 'found', command, origin: 'setting' }
    : missing('which is not a file that can be run');
}

/**
 * Looks a name up on `PATH`. Entries that are not absolute are skipped: they would be taken relative to the
 * workspace, and what a workspace holds is never run unasked.
 */
function onSearchPath(name: string, places: Places): string | undefined {
  const separator = places.platform === 'win32' ? ';' : ':';
  return places.searchPath
    .split(separator)
    .filter(entry => path.isAbsolute(entry))
    .map(entry => path.join(entry, executable(name, places.platform)))
    .find(isRunnable);
}

function executable(name: string, platform: NodeJS.Platform): string {
  return platform === 'win32' && path.extname(name) === '' ? `${name}.exe` : name;
}

function isRunnable(file: string): boolean {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}
