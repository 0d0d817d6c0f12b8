//! Policies of another repository: fetched from a real `git daemon` or over HTTPS on loopback, pinned, and never half
//! written.

use std::collections::BTreeMap;
use std::io::Write as _;

use anyhow::{Context as _, ensure};
use auditlint_tests::binary::{Run, run_with};
use auditlint_tests::daemon::{Daemon, wire};
use auditlint_tests::https::Server;
use auditlint_tests::workspace::Workspace;
use camino::{Utf8Path, Utf8PathBuf};

const BASE: &str = "logging_policy:\n  access_logs:\n    retention_period: 90_days\n";
const STRICT: &str =
    "extends: policy.yaml\nlogging_policy:\n  access_logs:\n    retention_period: 120_days\n";
/// What the repository asks for itself.
const OWN: &str = "logging_policy:\n  authentication: {}\n";
const MAIN: &str = "resource \"aws_lb\" \"web\" {\n  name = \"web\"\n}\n";

/// A repository of policies that is served, and one that extends a policy of it.
struct Scene {
    server: Workspace,
    daemon: Daemon,
    own: Workspace,
}

impl Scene {
    /// `extends` names the policy after the repository: `//base?ref=main`.
    fn new(extends: &str) -> anyhow::Result<Self> {
        let server = Workspace::with(&[
            ("policies/base/policy.yaml", BASE),
            ("policies/base/strict.yaml", STRICT),
            ("policies/README.md", "Policies.\n"),
            ("policies/base/notes.txt", "no policy\n"),
        ])?;
        let daemon = Daemon::serve(server.top())?;
        let scene = Self { server, daemon, own: Workspace::with(&[("main.tf", MAIN)])? };
        scene.serve(&["init", "--quiet", "--initial-branch=main"])?;
        scene.commit()?;
        scene.serve(&["tag", "v1"])?;
        scene.own.git(&["init", "--quiet", "--initial-branch=main"])?;
        scene.extend(&scene.reference(scene.daemon.port, extends))?;
        Ok(scene)
    }

    fn reference(&self, port: u16, rest: &str) -> String {
        format!("git::git://127.0.0.1:{port}/policies{rest}")
    }

    fn extend(&self, reference: &str) -> anyhow::Result<()> {
        self.own.write(".auditlint.yaml", &format!("extends: \"{reference}\"\n{OWN}"))
    }

    /// Runs git in the repository that is served.
    fn serve(&self, words: &[&str]) -> anyhow::Result<()> {
        self.server.git(&[&["-C", "policies"], words].concat())
    }

    fn commit(&self) -> anyhow::Result<()> {
        self.serve(&["add", "--all"])?;
        let names = ["-c", "user.name=Test", "-c", "user.email=test@example.com"];
        self.serve(&[&names[..], &["commit", "--quiet", "-m", "change"]].concat())
    }

    /// A further commit, with a stricter policy.
    fn advance(&self) -> anyhow::Result<()> {
        self.server.write("policies/base/policy.yaml", &BASE.replace("90_days", "100_days"))?;
        self.commit()
    }

    fn update(&self, words: &[&str]) -> anyhow::Result<Run> {
        self.own.run(&[&["policy", "update"], words].concat())
    }

    /// The lock and all that was fetched, byte for byte.
    fn state(&self) -> anyhow::Result<BTreeMap<Utf8PathBuf, Vec<u8>>> {
        let mut out = BTreeMap::new();
        let mut open = vec![self.own.top().join(".auditlint")];
        out.extend(read(&self.own.top().join("auditlint.lock")));
        while let Some(folder) = open.pop() {
            for entry in folder.read_dir_utf8().into_iter().flatten() {
                let entry = entry?;
                if entry.file_type()?.is_dir() {
                    open.push(entry.path().to_owned());
                }
                out.extend(read(entry.path()));
            }
        }
        Ok(out)
    }

    /// That an update is refused for that reason, changes nothing, and leaves the policy in force.
    fn refuses(&self, words: &[&str], reason: &str) -> anyhow::Result<()> {
        let before = self.state()?;
        let run = self.update(words)?;
        ensure!(run.exit == 3 && run.stderr.contains(reason) && run.stdout.is_empty(), "{run:?}");
        ensure!(self.state()? == before, "something was written: {:?}", self.state()?.keys());
        Ok(())
    }

    /// The same, in that environment.
    fn refuses_with(&self, environment: &[(&str, &str)], reason: &str) -> anyhow::Result<()> {
        let before = self.state()?;
        let run = run_with(self.own.top(), &["policy", "update"], b"", environment)?;
        ensure!(run.exit == 3 && run.stderr.contains(reason) && run.stdout.is_empty(), "{run:?}");
        ensure!(self.state()? == before, "something was written: {:?}", self.state()?.keys());
        Ok(())
    }

    fn check(&self) -> anyhow::Result<Run> {
        self.own.run(&["check", "."])
    }
}

/// Over HTTPS with a token, from a server whose certificate somebody else vouches for.
#[test]
fn a_private_repository_is_read_with_the_token_of_its_host_alone() -> anyhow::Result<()> {
    let scene = Scene::new("//base?ref=main")?;
    let server = Server::serve(scene.server.top(), "s3cr3t")?;
    let host = format!("127.0.0.1:{}", server.port);
    scene.extend(&format!("git::https://{host}/policies//base?ref=main"))?;
    let trust = ("SSL_CERT_FILE", server.authority.as_str());
    let token = ("AUDITLINT_GIT_TOKEN", "s3cr3t");
    let told = format!("the server asks for a token: AUDITLINT_GIT_TOKEN, with AUDITLINT_GIT_HOST={host}");
    let before = scene.state()?;
    let refused: [(&[(&str, &str)], &str); 4] = [
        (&[token, ("AUDITLINT_GIT_HOST", &host)], "invalid peer certificate"),
        (&[trust], &told),
        (&[trust, token], &told),
        (&[trust, token, ("AUDITLINT_GIT_HOST", "git.example.com")], &told),
    ];
    for (environment, reason) in refused {
        let run = run_with(scene.own.top(), &["policy", "update"], b"", environment)?;
        ensure!(run.exit == 3 && run.stderr.contains(reason), "{environment:?}: {run:?}");
        ensure!(scene.state()? == before && !server.passwords.exists(), "{environment:?}");
    }
    let all = [trust, token, ("AUDITLINT_GIT_HOST", host.as_str())];
    let run = run_with(scene.own.top(), &["policy", "update"], b"", &all)?;
    ensure!(run.exit == 0 && run.stdout.contains(": new, "), "{run:?}");
    drop(server);
    let run = scene.check()?;
    ensure!(run.exit == 1 && run.stdout.contains("load-balancer-access-logs"), "{run:?}");
    Ok(())
}

/// Over ssh, by the program of that name: one that runs on this machine what it was to run on the other, and writes down
/// whom it was to ask.
#[test]
#[cfg(unix)]
#[expect(clippy::disallowed_methods, reason = "the test puts a program before those of its own search path")]
fn a_private_repository_is_read_over_ssh() -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    let scene = Scene::new("//base?ref=main")?;
    let program = "#!/bin/sh\necho \"$*\" >>\"$0.asked\"\nwhile [ \"$1\" = -o ]; do shift 2; done\nshift\nexec sh -c \"$*\"\n";
    let programs = Workspace::with(&[("ssh", program)])?;
    let ssh = programs.top().join("ssh");
    std::fs::set_permissions(&ssh, std::fs::Permissions::from_mode(0o755))?;
    let path = format!("{}:{}", programs.top(), std::env::var("PATH")?);
    let repository = scene.server.top().join("policies");
    scene.extend(&format!("git::ssh://git@git.example.com{repository}//base?ref=main"))?;
    let run = run_with(scene.own.top(), &["policy", "update"], b"", &[("PATH", &path)])?;
    ensure!(run.exit == 0 && run.stdout.contains(": new, "), "{run:?}");
    let (_, asked) = read(&ssh.with_extension("asked")).context("nobody was asked")?;
    let asked = String::from_utf8(asked)?;
    ensure!(asked.contains("git@git.example.com") && asked.contains("git-upload-pack"), "{asked}");
    let run = scene.check()?;
    ensure!(run.exit == 1 && run.stdout.contains("load-balancer-access-logs"), "{run:?}");
    // A repository that is not there, a key that is not let in, and no program at all.
    scene.extend(&format!("git::ssh://git@git.example.com{repository}-gone//base?ref=main"))?;
    scene.refuses_with(&[("PATH", &path)], "nothing was changed")?;
    programs.write(
        "ssh",
        "#!/bin/sh\necho 'git@git.example.com: Permission denied (publickey).' >&2\nexit 255\n",
    )?;
    scene.refuses_with(&[("PATH", &path)], "ssh was not let in")?;
    scene.refuses_with(&[("PATH", programs.top().join("nowhere").as_str())], "nothing was changed")
}

#[expect(clippy::disallowed_methods, reason = "the test looks at what was written")]
fn read(path: &Utf8Path) -> Option<(Utf8PathBuf, Vec<u8>)> {
    Some((path.to_owned(), std::fs::read(path).ok()?))
}

/// The one file of the cache with that name.
fn cached(scene: &Scene, name: &str) -> anyhow::Result<Utf8PathBuf> {
    let state = scene.state()?;
    state.into_keys().find(|path| path.file_name() == Some(name)).context("a file of the cache")
}

#[test]
fn what_was_fetched_once_is_in_force_without_the_server() -> anyhow::Result<()> {
    let scene = Scene::new("//base/strict.yaml?ref=main")?;
    let run = scene.check()?;
    ensure!(run.exit == 3 && run.stderr.contains("run `auditlint policy update`"), "{run:?}");
    ensure!(scene.state()?.is_empty(), "a check fetches nothing");
    let run = scene.update(&[])?;
    ensure!(run.exit == 0 && run.stdout.contains("new, ") && run.stdout.contains("2 files"), "{run:?}");
    let Scene { server, daemon, own } = scene;
    drop((server, daemon));
    let run = own.run(&["policy", "show", "--why", "access_logs.retention.min"])?;
    ensure!(run.stdout.contains("120 days"), "{run:?}");
    // A repository that asks for less says so in vain.
    let (path, config) = read(&own.top().join(".auditlint.yaml")).context("the config")?;
    let config = String::from_utf8(config)?.replace(OWN, BASE);
    own.write(path.file_name().context("a name")?, &config)?;
    let run = own.run(&["check", "."])?;
    ensure!(run.exit == 3 && run.stderr.contains("may only become stricter"), "{run:?}");
    Ok(())
}

#[test]
fn a_branch_goes_on_and_the_lock_with_it() -> anyhow::Result<()> {
    let scene = Scene::new("//base?ref=main")?;
    ensure!(scene.update(&[])?.exit == 0 && scene.check()?.exit == 1, "the first state");
    let first = scene.state()?;
    ensure!(scene.update(&[])?.stdout.contains("as before"), "nothing changed");
    ensure!(scene.state()? == first, "nothing was written");
    scene.advance()?;
    // What is locked is found again though the branch went on, and where the cache is gone.
    std::fs::remove_dir_all(scene.own.top().join(".auditlint"))?;
    let run = scene.check()?;
    ensure!(run.exit == 3 && run.stderr.contains("policy update --locked"), "{run:?}");
    ensure!(scene.update(&["--locked"])?.exit == 0, "the locked state is fetched");
    ensure!(scene.state()? == first, "{:?}", scene.state()?.keys());
    let run = scene.update(&[])?;
    ensure!(run.exit == 0 && run.stdout.contains(" → "), "{run:?}");
    ensure!(scene.state()?.len() == first.len(), "the state before is gone: {:?}", scene.state()?.keys());
    Ok(())
}

#[test]
fn a_tag_that_moves_is_refused() -> anyhow::Result<()> {
    let scene = Scene::new("//base?ref=v1")?;
    ensure!(scene.update(&[])?.exit == 0, "the first state");
    scene.advance()?;
    scene.serve(&["tag", "--force", "v1"])?;
    scene.refuses(&[], "the tag v1 was moved")?;
    ensure!(scene.check()?.exit == 1, "the lock before stays in force");
    Ok(())
}

#[test]
fn an_older_state_is_refused() -> anyhow::Result<()> {
    let scene = Scene::new("//base?ref=main")?;
    scene.advance()?;
    ensure!(scene.update(&[])?.exit == 0, "the first state");
    scene.serve(&["reset", "--quiet", "--hard", "HEAD~1"])?;
    scene.refuses(&[], "is older than")?;
    // Another history is no continuation either.
    scene.serve(&["checkout", "--quiet", "--orphan", "other"])?;
    scene.commit()?;
    scene.serve(&["branch", "--force", "main", "other"])?;
    scene.refuses(&[], "or of another history")?;
    Ok(())
}

#[test]
fn a_connection_that_is_cut_leaves_nothing_behind() -> anyhow::Result<()> {
    let scene = Scene::new("//base?ref=main")?;
    ensure!(scene.update(&[])?.exit == 0, "the first state");
    scene.advance()?;
    for bytes in [0, 40, 300, 700, 1_000] {
        let port = wire(scene.daemon.port, bytes)?;
        scene.extend(&scene.reference(port, "//base?ref=main"))?;
        scene.refuses(&[], "nothing was changed")?;
    }
    scene.extend(&scene.reference(scene.daemon.port, "//base?ref=main"))?;
    ensure!(scene.check()?.exit == 1, "the lock before stays in force");
    Ok(())
}

#[test]
fn an_object_that_is_not_what_its_name_says_is_refused() -> anyhow::Result<()> {
    let scene = Scene::new("//base?ref=main")?;
    ensure!(scene.update(&[])?.exit == 0, "the first state");
    scene.advance()?;
    // The object of the new policy gets the bytes of another one.
    let objects = |name: &str| -> anyhow::Result<Utf8PathBuf> {
        let run = std::process::Command::new("git")
            .current_dir(scene.server.top().join("policies"))
            .args(["rev-parse", name])
            .output()?;
        let id = String::from_utf8(run.stdout)?.trim().to_owned();
        let (folder, file) = id.split_at_checked(2).context("an id")?;
        Ok(scene.server.top().join("policies/.git/objects").join(folder).join(file))
    };
    let (policy, other) = (objects("HEAD:base/policy.yaml")?, objects("HEAD:README.md")?);
    std::fs::remove_file(&policy)?;
    std::fs::copy(other, &policy)?;
    scene.refuses(&[], "nothing was changed")
}

#[test]
fn a_file_that_was_changed_after_it_was_fetched_is_not_read() -> anyhow::Result<()> {
    let scene = Scene::new("//base?ref=main")?;
    ensure!(scene.update(&[])?.exit == 0, "the first state");
    let path = cached(&scene, "policy.yaml")?;
    let relative = path.strip_prefix(scene.own.top())?.to_owned();
    scene.own.write(relative.as_str(), &BASE.replace("90", "1"))?;
    let run = scene.check()?;
    ensure!(run.exit == 3 && run.stderr.contains("is not what was fetched"), "{run:?}");
    ensure!(run.stderr.contains(".auditlint.yaml:1:10"), "{run:?}");
    ensure!(scene.update(&["--locked"])?.exit == 0 && scene.check()?.exit == 1, "it is fetched again");
    // A lock that was changed is none.
    let (_, lock) = read(&scene.own.top().join("auditlint.lock")).context("the lock")?;
    let lock = String::from_utf8(lock)?;
    let at = lock.find("\"policy.yaml\": \"").context("the digest of a file")? + 16;
    let digit = if lock.get(at..at + 1) == Some("0") { "1" } else { "0" };
    scene.own.write("auditlint.lock", &format!("{}{digit}{}", &lock[..at], &lock[at + 1..]))?;
    let run = scene.check()?;
    ensure!(run.exit == 3 && run.stderr.contains("is not that of its files"), "{run:?}");
    Ok(())
}

#[test]
fn a_digest_in_the_policy_has_to_be_that_of_the_bundle() -> anyhow::Result<()> {
    let scene = Scene::new("//base?ref=main")?;
    ensure!(scene.update(&[])?.exit == 0, "the first state");
    let (_, lock) = read(&scene.own.top().join("auditlint.lock")).context("the lock")?;
    let lock: serde_json::Value = serde_json::from_slice(&lock)?;
    let digest = lock["bundles"][0]["digest"].as_str().context("a digest")?.to_owned();
    let reference = scene.reference(scene.daemon.port, "//base?ref=main");
    let pin = |digest: &str| {
        let extends = format!("extends: [{{ref: \"{reference}\", digest: \"{digest}\"}}]\n{OWN}");
        scene.own.write(".auditlint.yaml", &extends)
    };
    pin(&digest)?;
    ensure!(scene.check()?.exit == 1 && scene.update(&[])?.exit == 0, "the right one");
    pin(&format!("sha256:{}", "0".repeat(64)))?;
    let run = scene.check()?;
    ensure!(run.exit == 3 && run.stderr.contains("its digest is to be"), "{run:?}");
    scene.refuses(&[], "its digest is to be")
}

#[test]
fn a_bundle_with_a_link_or_without_the_policy_is_refused() -> anyhow::Result<()> {
    let scene = Scene::new("//base?ref=main")?;
    ensure!(scene.update(&[])?.exit == 0, "the first state");
    std::os::unix::fs::symlink("/etc/passwd", scene.server.top().join("policies/base/link.yaml"))?;
    scene.commit()?;
    scene.refuses(&[], "link.yaml is a link")?;
    scene.extend(&scene.reference(scene.daemon.port, "//none?ref=main"))?;
    scene.refuses(&[], "has no policy `none`")?;
    scene.extend(&scene.reference(scene.daemon.port, "//base?ref=none"))?;
    scene.refuses(&[], "none")
}

/// A tree that no git would write, but that a server may send.
#[test]
fn a_file_that_would_land_outside_of_the_bundle_is_refused() -> anyhow::Result<()> {
    let scene = Scene::new("//base?ref=main")?;
    ensure!(scene.update(&[])?.exit == 0, "the first state");
    let run = |words: &[&str], input: &[u8]| -> anyhow::Result<String> {
        let mut child = std::process::Command::new("git")
            .current_dir(scene.server.top().join("policies"))
            .args(["-c", "user.name=Test", "-c", "user.email=test@example.com"])
            .args(words)
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()?;
        child.stdin.take().context("its input")?.write_all(input)?;
        let done = child.wait_with_output()?;
        ensure!(done.status.success(), "git {words:?}");
        Ok(String::from_utf8(done.stdout)?.trim().to_owned())
    };
    let bytes = |id: &str| -> anyhow::Result<Vec<u8>> {
        let pairs = id.as_bytes().chunks(2);
        pairs.map(|pair| Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?)).collect()
    };
    let tree = |entries: &[(&str, &str, &str)]| -> anyhow::Result<String> {
        let mut text = Vec::new();
        for (mode, name, id) in entries {
            text.extend(format!("{mode} {name}\0").into_bytes());
            text.extend(bytes(id)?);
        }
        run(&["hash-object", "-t", "tree", "--literally", "-w", "--stdin"], &text)
    };
    let policy = run(&["rev-parse", "HEAD:base/policy.yaml"], b"")?;
    let inner = tree(&[("100644", "evil.yaml", &policy)])?;
    for names in [
        ("40000", "..", inner.as_str()),
        ("100644", "../evil.yaml", policy.as_str()),
        ("100644", "/evil.yaml", policy.as_str()),
    ] {
        let base = tree(&[names, ("100644", "policy.yaml", &policy)])?;
        let top = tree(&[("40000", "base", &base)])?;
        let commit = run(&["commit-tree", &top, "-p", "HEAD", "-m", "evil"], b"")?;
        scene.serve(&["update-ref", "refs/heads/main", &commit])?;
        scene.refuses(&[], "nothing was changed")?;
    }
    Ok(())
}

#[test]
fn a_bundle_that_does_not_load_does_not_come_into_force() -> anyhow::Result<()> {
    let scene = Scene::new("//base?ref=main")?;
    ensure!(scene.update(&[])?.exit == 0, "the first state");
    let lock = read(&scene.own.top().join("auditlint.lock"));
    scene.server.write("policies/base/policy.yaml", "logging_policy:\n  no_such_category: {}\n")?;
    scene.commit()?;
    let run = scene.update(&[])?;
    ensure!(run.exit == 3 && run.stderr.contains("no_such_category"), "{run:?}");
    ensure!(read(&scene.own.top().join("auditlint.lock")) == lock && scene.check()?.exit == 1, "{run:?}");
    // What lies outside of the bundle is not named from within.
    scene.server.write("policies/base/policy.yaml", &format!("extends: ../../../main.yaml\n{OWN}"))?;
    scene.own.write("main.yaml", BASE)?;
    scene.commit()?;
    let run = scene.update(&[])?;
    ensure!(run.exit == 3 && run.stderr.contains("outside of the bundle"), "{run:?}");
    Ok(())
}

#[test]
fn a_bundle_may_extend_another_one() -> anyhow::Result<()> {
    let scene = Scene::new("//base?ref=main")?;
    let inner = scene.reference(scene.daemon.port, "//base/strict.yaml?ref=v1");
    scene.server.write("policies/team/policy.yaml", &format!("extends: \"{inner}\"\n{OWN}"))?;
    scene.commit()?;
    let outer = scene.reference(scene.daemon.port, "//team?ref=main");
    scene.own.write(".auditlint.yaml", &format!("extends: \"{outer}\"\n{OWN}"))?;
    let run = scene.update(&[])?;
    ensure!(run.exit == 0 && run.stdout.lines().count() == 2, "{run:?}");
    let run = scene.own.run(&["policy", "show", "--why", "access_logs.retention.min"])?;
    ensure!(run.stdout.contains("120 days"), "{run:?}");
    Ok(())
}
