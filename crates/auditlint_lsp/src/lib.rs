//! The language server: diagnostics while typing, quick fixes, hover. It decides nothing about policies; whatever
//! it shows is asked of a snapshot of `auditlint_analysis`.
//!
//! Three parties share one `session::Session`: the ordered front service applies every change of a document
//! the moment it is read from the client; the publisher, a thread of its own, computes diagnostics and sends
//! them; request handlers compute their answers on the pool for blocking work.

mod convert;
mod front;
mod handlers;
mod hold;
mod library;
mod policy;
mod publish;
mod scene;
mod session;

use std::path::PathBuf;
use std::sync::Arc;

use auditlint_policy::Catalogue;
use tower_lsp::{LspService, Server};

use front::Front;
use handlers::Handlers;
use session::Shared;

/// What the server is started with.
#[derive(Clone, Debug)]
pub struct Options {
    /// The facts and rules.
    pub catalogue: Arc<Catalogue>,
    /// Policies that take the place of those of the config files: paths, or `auditlint:NAME`.
    pub policies: Vec<String>,
    /// The JSON Schema of policies, from which it comes what may be written in them.
    pub schema: fn(&Catalogue) -> String,
    /// The folder of this machine into which built-in rules and policies are written when an editor asks for them; none
    /// where they cannot be opened.
    pub library: Option<PathBuf>,
}

/// Requests that are worked on at once. High, because a request of ours that waits for the client must never
/// keep the next message of the client from being read.
const CONCURRENCY: usize = 1024;

/// Serves one client over standard input and output until it leaves. Gives the exit code that the protocol asks
/// for: 0 after `shutdown`, else 1.
///
/// # Errors
/// When the runtime cannot be started.
pub fn serve(options: Options) -> std::io::Result<u8> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let code = runtime.block_on(serve_on(options, tokio::io::stdin(), tokio::io::stdout()));
    // A computation that is under way is nobody's any more.
    runtime.shutdown_background();
    Ok(code)
}

/// Serves one client over `input` and `output`.
pub async fn serve_on<I, O>(options: Options, input: I, output: O) -> u8
where
    I: tokio::io::AsyncRead + Unpin,
    O: tokio::io::AsyncWrite,
{
    let shared = Arc::new(Shared::new(options));
    let for_handlers = Arc::clone(&shared);
    let (service, socket) = LspService::new(move |client| Handlers::new(client, for_handlers));
    let front = Front::new(service, Arc::clone(&shared));
    Server::new(input, output, socket).concurrency_level(CONCURRENCY).serve(front).await;
    shared.stop();
    u8::from(!shared.lock().shut_down)
}
