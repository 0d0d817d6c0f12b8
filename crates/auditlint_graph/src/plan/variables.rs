//! The values of the root's variables that a plan was made with.

use std::fmt;
use std::io::Read;

use auditlint_syntax::Name;

use super::document::Reading;
use super::scan::members;
use super::window::Stop;

/// The value of a variable, as a plan holds it: that of a sensitive variable stands there as plainly as any other,
/// so no text shows it.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PlannedValue {
    /// The value as JSON.
    pub(crate) json: Box<str>,
    /// Whether the plan's configuration declares the variable as sensitive.
    pub(crate) sensitive: bool,
}

impl fmt::Debug for PlannedValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlannedValue(..)")
    }
}

impl<R: Read> Reading<'_, R> {
    /// Reads the value of the key `variables`.
    pub(super) fn variables(&mut self) -> Result<(), Stop> {
        if !self.window.enter(b'{')? {
            return Ok(());
        }
        while let Some(name) = self.window.next_key()? {
            let json = self.window.read(|scan| {
                let mut json = None;
                members(scan, |key, scan| {
                    match key {
                        b"value" => json = Some(Box::from(scan.take()?)),
                        _ => scan.skip()?,
                    }
                    Ok(())
                })?;
                Ok(json)
            })?;
            let planned = json.map(|json| (Name::new(name), PlannedValue { json, sensitive: false }));
            self.document.variables.extend(planned);
        }
        Ok(())
    }
}
