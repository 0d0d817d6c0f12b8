//! `csvdecode`, as Go's `encoding/csv` reads.

use std::sync::Arc;

use auditlint_syntax::Name;

use super::{Answer, list, nowhere, text_of};
use crate::{Map, Tracked, Value};

/// The rows below the header, each an object.
pub(super) fn decode(arguments: &[Tracked]) -> Answer {
    // A line may end as on Windows, inside of quotes too, and the last one with half of such an end.
    let text = text_of(arguments.first()?)?.replace("\r\n", "\n");
    let mut rows = rows(text.strip_suffix('\r').unwrap_or(&text))?.into_iter();
    let header: Vec<Name> = rows.next()?.into_iter().map(Name::new).collect();
    let mut names: Vec<&Name> = header.iter().collect();
    names.sort();
    if names.windows(2).any(|pair| pair.first() == pair.last()) {
        return None;
    }
    let mut out = Vec::new();
    for row in rows {
        if row.len() != header.len() {
            return None;
        }
        let cells = row.into_iter().map(|cell| nowhere(Value::String(Name::new(cell))));
        let mut map: Map = header.iter().cloned().zip(cells).collect();
        map.sort_keys();
        out.push(nowhere(Value::Map(Arc::new(map))));
    }
    list(out)
}

fn rows(text: &str) -> Option<Vec<Vec<String>>> {
    let mut rows = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        // An empty line is no row.
        if let Some(after) = rest.strip_prefix('\n') {
            rest = after;
            continue;
        }
        let mut row = Vec::new();
        loop {
            let (cell, after) = cell(rest)?;
            row.push(cell);
            match after.strip_prefix(',') {
                Some(after) => rest = after,
                None => {
                    rest = after.strip_prefix('\n').unwrap_or(after);
                    break;
                }
            }
        }
        rows.push(row);
    }
    Some(rows)
}

/// The cell at the start of `text`, and what follows it: nothing, a comma or the end of the line.
fn cell(text: &str) -> Option<(String, &str)> {
    let Some(mut rest) = text.strip_prefix('"') else {
        let end = text.find([',', '\n']).unwrap_or(text.len());
        let (cell, after) = text.split_at_checked(end)?;
        return (!cell.contains('"')).then(|| (cell.to_owned(), after));
    };
    let mut out = String::new();
    loop {
        let (part, after) = rest.split_once('"')?;
        out.push_str(part);
        match after.strip_prefix('"') {
            Some(after) => {
                out.push('"');
                rest = after;
            }
            None => return (after.is_empty() || after.starts_with([',', '\n'])).then_some((out, after)),
        }
    }
}
