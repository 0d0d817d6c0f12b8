//! The ordered front service.
//!
//! The protocol library calls a service synchronously, in the order of the messages, but polls the futures that
//! it gets back in any order. So whatever changes a document is applied inside of `call`, before any future
//! exists, and a cancellation is polled once at once so that it overtakes the requests that wait.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use serde::de::DeserializeOwned;
use tower::Service;
use tower_lsp::jsonrpc::{Request, Response};
use tower_lsp::ls_types as proto;

use crate::session::Shared;

pub(crate) struct Front<S> {
    inner: S,
    shared: Arc<Shared>,
}

impl<S> Front<S> {
    pub(crate) fn new(inner: S, shared: Arc<Shared>) -> Self {
        Self { inner, shared }
    }
}

type Answer<E> = Pin<Box<dyn Future<Output = Result<Option<Response>, E>> + Send>>;

impl<S> Service<Request> for Front<S>
where
    S: Service<Request, Response = Option<Response>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
{
    type Response = Option<Response>;
    type Error = S::Error;
    type Future = Answer<S::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        if self.applied(&request) {
            return Box::pin(std::future::ready(Ok(None)));
        }
        let is_cancel = request.method() == "$/cancelRequest";
        let mut answer: Self::Future = Box::pin(self.inner.call(request));
        if is_cancel && let Poll::Ready(done) = answer.as_mut().poll(&mut Context::from_waker(Waker::noop()))
        {
            return Box::pin(std::future::ready(done));
        }
        answer
    }
}

impl<S> Front<S> {
    /// Applies what changes a document, a file or the configuration. True when that was all there is to do.
    fn applied(&self, request: &Request) -> bool {
        let shared = &self.shared;
        let params = || request.params().cloned().unwrap_or_default();
        match request.method() {
            "textDocument/didOpen" => {
                with(params(), |params: proto::DidOpenTextDocumentParams| {
                    shared.lock().open(params.text_document);
                });
            }
            "textDocument/didChange" => {
                with(params(), |params: proto::DidChangeTextDocumentParams| shared.lock().change(params));
            }
            "textDocument/didSave" => {
                with(params(), |params: proto::DidSaveTextDocumentParams| {
                    shared.lock().saved(&params.text_document.uri);
                });
            }
            "textDocument/didClose" => {
                with(params(), |params: proto::DidCloseTextDocumentParams| {
                    shared.lock().close(&params.text_document.uri);
                });
            }
            "workspace/didChangeWatchedFiles" => {
                with(params(), |params: proto::DidChangeWatchedFilesParams| {
                    shared.lock().disk(&params.changes);
                });
            }
            "workspace/didChangeConfiguration" => shared.lock().reload(),
            "workspace/didChangeWorkspaceFolders" => {
                with(params(), |params: proto::DidChangeWorkspaceFoldersParams| {
                    let mut session = shared.lock();
                    params.event.added.iter().for_each(|folder| session.add_folder(&folder.uri));
                });
            }
            _ => return false,
        }
        shared.wake();
        true
    }
}

/// Applies a notification; one that is malformed is dropped, as the protocol asks.
fn with<P: DeserializeOwned>(params: proto::LSPAny, apply: impl FnOnce(P)) {
    if let Ok(params) = serde_json::from_value(params) {
        apply(params);
    }
}
