"""The server with the capabilities of three editors, as pytest-lsp has recorded them.

pytest-lsp checks each message of the server against what the client says it can do; its warnings are errors here.
SERVER is the binary.
"""

import os
import pathlib

import pytest
import pytest_lsp
from lsprotocol import types
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities

FIXTURES = pathlib.Path(__file__).parent.parent / "fixtures"
RULE = "aws/cloudwatch/log-group-retention"
TITLE = "set retention_in_days to 90"


def fixture(name: str) -> str:
    return (FIXTURES / name).read_bytes().decode()


@pytest_lsp.fixture(
    params=["visual-studio-code", "neovim", "emacs"],
    config=ClientServerConfig(server_command=[os.environ["SERVER"], "lsp", "--stdio"]),
)
async def client(request, lsp_client: LanguageClient, tmp_path: pathlib.Path):
    folder = tmp_path.resolve()
    (folder / ".auditlint.yaml").write_bytes((FIXTURES / "policy.yaml").read_bytes())
    (folder / "main.tf").write_bytes((FIXTURES / "short.tf").read_bytes())
    lsp_client.folder = folder
    capabilities = client_capabilities(request.param)
    watching = capabilities.workspace.did_change_watched_files
    # A client that does not let servers say what it watches is not asked to.
    lsp_client.may_register = bool(watching and watching.dynamic_registration)
    lsp_client.registered = registered = []

    @lsp_client.feature(types.CLIENT_REGISTER_CAPABILITY)
    def register(params: types.RegistrationParams):
        registered.extend(params.registrations)

    answer = await lsp_client.initialize_session(
        types.InitializeParams(
            capabilities=capabilities,
            root_uri=folder.as_uri(),
            workspace_folders=[types.WorkspaceFolder(uri=folder.as_uri(), name="folder")],
        )
    )
    lsp_client.encoding = answer.capabilities.position_encoding or "utf-16"
    yield
    await lsp_client.shutdown_session()


class Buffer:
    """`main.tf`, open in the client with the text of a fixture."""

    def __init__(self, client: LanguageClient, name: str):
        self.client, self.version, self.text = client, 1, fixture(name)
        self.uri = (client.folder / "main.tf").as_uri()
        client.text_document_did_open(
            types.DidOpenTextDocumentParams(types.TextDocumentItem(self.uri, "terraform", self.version, self.text))
        )

    async def seen(self):
        """The diagnostics of the present version."""
        while True:
            sent = await self.client.wait_for_notification("textDocument/publishDiagnostics")
            if sent.uri == self.uri and sent.version == self.version:
                return list(sent.diagnostics)

    def replace(self, old: str, new: str):
        """Types `new` in the place of `old`, as one change of a range."""
        start = self.text.index(old)
        whole = types.Range(self.position(start), self.position(start + len(old)))
        self.text = self.text.replace(old, new, 1)
        self.version += 1
        self.client.text_document_did_change(
            types.DidChangeTextDocumentParams(
                types.VersionedTextDocumentIdentifier(self.version, self.uri),
                [types.TextDocumentContentChangePartial(range=whole, text=new)],
            )
        )

    def width(self, text: str) -> int:
        """The length of a text in the units that client and server agreed on."""
        return {
            "utf-8": len(text.encode()),
            "utf-16": len(text.encode("utf-16-le")) // 2,
            "utf-32": len(text),
        }[self.client.encoding]

    def position(self, offset: int) -> types.Position:
        before = self.text[:offset].split("\n")
        return types.Position(len(before) - 1, self.width(before[-1]))

    def offset(self, at: types.Position) -> int:
        lines = self.text.split("\n")
        start = sum(len(line) + 1 for line in lines[: at.line])
        line = lines[at.line]
        return start + next(n for n in range(len(line) + 1) if self.width(line[:n]) == at.character)

    def at(self, whole: types.Range) -> str:
        return self.text[self.offset(whole.start) : self.offset(whole.end)]

    async def actions(self, diagnostics, only=None):
        spot = diagnostics[0].range
        context = types.CodeActionContext(diagnostics=diagnostics, only=only)
        return await self.client.text_document_code_action_async(
            types.CodeActionParams(types.TextDocumentIdentifier(self.uri), spot, context)
        )

    def apply(self, edit: types.WorkspaceEdit) -> str:
        """The text after the edits, which must be of this document and of its present version."""
        if edit.document_changes is not None:
            (document,) = edit.document_changes
            assert (document.text_document.uri, document.text_document.version) == (self.uri, self.version)
            edits = document.edits
        else:
            ((uri, edits),) = edit.changes.items()
            assert uri == self.uri
        text = self.text
        for one in sorted(edits, key=lambda one: self.offset(one.range.start), reverse=True):
            text = text[: self.offset(one.range.start)] + one.new_text + text[self.offset(one.range.end) :]
        return text


@pytest.mark.asyncio
@pytest.mark.parametrize("name", ["short", "wide"])
async def test_quick_fix(client: LanguageClient, name: str):
    buffer = Buffer(client, f"{name}.tf")
    diagnostics = await buffer.seen()
    assert [(one.source, one.code) for one in diagnostics] == [("auditlint", RULE)]
    assert diagnostics[0].message == "keeps events for 30 days, the policy asks for 90 days"
    assert buffer.at(diagnostics[0].range) == "30"
    related = diagnostics[0].related_information
    assert [one.location.uri for one in related] == [(client.folder / ".auditlint.yaml").as_uri()]
    preferred = [one for one in await buffer.actions(diagnostics) if one.is_preferred]
    assert [one.title for one in preferred] == [TITLE]
    assert buffer.apply(preferred[0].edit) == fixture(f"{name}.fixed.tf")


@pytest.mark.asyncio
async def test_missing_attribute(client: LanguageClient):
    buffer = Buffer(client, "missing.tf")
    diagnostics = await buffer.seen()
    assert [one.code for one in diagnostics] == [f"{RULE}-unset"]
    fixes = [one for one in await buffer.actions(diagnostics) if one.title == TITLE]
    assert [buffer.apply(one.edit) for one in fixes] == [fixture("missing.fixed.tf")]


@pytest.mark.asyncio
async def test_fix_all_is_offered_only_by_name(client: LanguageClient):
    buffer = Buffer(client, "short.tf")
    diagnostics = await buffer.seen()
    kind = "source.fixAll.auditlint"
    assert kind not in [one.kind for one in await buffer.actions(diagnostics)]
    for only in [[kind], ["source.fixAll"]]:
        (action,) = await buffer.actions(diagnostics, only)
        assert action.kind == kind
        assert buffer.apply(action.edit) == fixture("short.fixed.tf")


@pytest.mark.asyncio
async def test_unsaved_changes(client: LanguageClient):
    buffer = Buffer(client, "wide.tf")
    assert len(await buffer.seen()) == 1
    # Behind characters of two UTF-16 units and four bytes.
    buffer.replace("30", "120")
    assert await buffer.seen() == []
    buffer.replace("120", "9")
    (one,) = await buffer.seen()
    assert one.message.startswith("keeps events for 9 days")
    assert buffer.at(one.range) == "9"


@pytest.mark.asyncio
async def test_watches_files(client: LanguageClient):
    buffer = Buffer(client, "short.tf")
    assert len(await buffer.seen()) == 1
    methods = [registration.method for registration in client.registered]
    assert methods == (["workspace/didChangeWatchedFiles"] if client.may_register else [])
    # The policy on disk asks for less, and somebody else than the editor has written it.
    policy = client.folder / ".auditlint.yaml"
    policy.write_text(policy.read_text().replace("90_days", "7_days"))
    client.workspace_did_change_watched_files(
        types.DidChangeWatchedFilesParams([types.FileEvent(policy.as_uri(), types.FileChangeType.Changed)])
    )
    assert await buffer.seen() == []
