//! What to write where nothing records a category at all.

use auditlint_syntax::Name;

use crate::Category;

/// Resources that stand alone and record some categories in order, as a text of Terraform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MinimalSet {
    /// What they are, as the end of a sentence: `a trail over all regions`.
    pub title: String,
    /// The local name of the provider that makes them.
    pub provider: Name,
    /// What they record.
    pub categories: Vec<Category>,
    /// How many days they keep it where the policy says nothing.
    pub retention: u32,
    /// Where it is told that they have to look so.
    pub source: String,
    text: String,
}

/// Stands in the text for the name of every resource.
const NAME: &str = "<name>";
/// Stands in the text for the days.
const DAYS: &str = "<days>";

impl MinimalSet {
    pub(crate) fn new(
        title: String,
        provider: Name,
        categories: Vec<Category>,
        retention: u32,
        source: String,
        text: String,
    ) -> Self {
        Self { title, provider, categories, retention, source, text }
    }

    /// The types of its resources.
    pub fn types(&self) -> impl Iterator<Item = &str> {
        let headers = self.text.lines().filter_map(|line| line.strip_prefix("resource \""));
        headers.filter_map(|rest| rest.split_once('"').map(|(kind, _)| kind))
    }

    /// The text, with `name` for every resource.
    #[must_use]
    pub fn written(&self, name: &str, days: u32) -> String {
        self.text.replace(NAME, name).replace(DAYS, &days.to_string())
    }
}
