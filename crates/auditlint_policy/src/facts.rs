//! The facts of a resource type: what rules and the log flow know of it before any value is read.

use auditlint_syntax::Name;

use crate::condition::{AttributePath, Condition, Operand};
use crate::{Category, Days};

/// One file of `policies/resources`.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The resource type.
    pub kind: Name,
    /// Other types with the same facts.
    pub also: Vec<Name>,
    /// Where the facts were read.
    pub source: String,
    /// The provider's values where nothing is written.
    pub defaults: Vec<(AttributePath, Operand)>,
    /// The only values that the provider takes.
    pub allowed: Vec<(AttributePath, Vec<Operand>)>,
    /// Attributes that the provider always sets.
    pub always_set: Vec<Name>,
    /// Sensitive attributes beyond those with a telling name.
    pub sensitive: Vec<Name>,
    /// Attributes that name an instance uniquely.
    pub identity: Vec<Name>,
    /// Nested blocks.
    pub blocks: Vec<Name>,
    /// Those of them that the provider never fills in by itself.
    pub only_written: Vec<Name>,
    /// What it emits, as a source.
    pub emits: Vec<Emission>,
    /// Whether it is there for nothing but to record, so that it is missed where it goes.
    pub records: bool,
    /// How it keeps, as a store.
    pub keeps: Option<Keeping>,
    /// How it passes on, as a forwarder.
    pub forwards: Vec<Forwarding>,
    /// Stores that the service makes by itself.
    pub service_stores: Vec<ServiceStore>,
    /// The data sources that find it by its name.
    pub looked_up: Vec<LookedUp>,
}

/// How a data source finds a resource.
#[derive(Clone, Debug)]
pub struct LookedUp {
    /// The type of the data source.
    pub data: Name,
    /// Its argument that names the resource.
    pub by: Name,
    /// The attribute of the resource that is the name; the same word in most cases.
    pub attribute: Name,
    /// The attributes of the data source that are another one of the resource: the first of these that is written.
    pub gives: Vec<(Name, Vec<Name>)>,
}

/// Events that a source can emit.
#[derive(Clone, Debug)]
pub struct Emission {
    /// Their categories.
    pub categories: Vec<Category>,
    /// What turns them on; always on where there is none.
    pub on: Option<Condition>,
    /// Of which regions they are; of that in which the source stands where there is none.
    pub regions: Option<Regions>,
    /// Where they go.
    pub to: Vec<Sink>,
}

/// Of which regions the events of a source are that are not those of the one in which it stands.
#[derive(Clone, Debug)]
pub enum Regions {
    /// `all`: it records what happens in every region.
    All,
    /// `none`: it stands in no region, and records what happens at itself.
    None,
    /// Of every region where this holds, else of the one in which it stands.
    AllWhere(Condition),
}

/// Where logs go: an attribute of the source itself, or of a companion that names the source.
#[derive(Clone, Debug)]
pub struct Sink {
    /// The companion's type and the attribute by which it names the source.
    pub companion: Option<(Name, AttributePath)>,
    /// The attribute that names the next station.
    pub path: AttributePath,
    /// The types that the next station may have.
    pub types: Vec<Name>,
}

/// How a store keeps.
#[derive(Clone, Debug)]
pub struct Keeping {
    /// Its retention.
    pub retention: Retention,
    /// Whether what it keeps can be searched as it stands: the hot part of a retention.
    pub searchable: bool,
    /// When nobody can change or delete what it keeps before its time.
    pub immutable: Option<Condition>,
    /// The attribute that says in which region or location it stands.
    pub place: Option<AttributePath>,
}

/// Where the retention of a store stands.
#[derive(Clone, Debug)]
pub enum Retention {
    /// In an attribute.
    Attribute {
        /// The attribute.
        path: AttributePath,
        /// How many days its unit has; less than one of a shorter unit.
        unit_days: f64,
        /// The numbers that mean `never expires`.
        never: Vec<f64>,
        /// What it means when nothing is written: days, or never.
        absent: Days,
    },
    /// In lifecycle rules.
    Lifecycle(Lifecycle),
}

/// Whose lifecycle rules say how long a store keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifecycle {
    /// `s3-lifecycle`: those of an S3 bucket.
    Bucket,
    /// `storage-bucket-lifecycle`: those of a Google storage bucket, and its retention policy.
    StorageBucket,
    /// `storage-management-policy`: those of an Azure storage account.
    StorageAccount,
}

impl Lifecycle {
    /// All of them, by the names in facts.
    pub const ALL: [(&'static str, Self); 3] = [
        ("s3-lifecycle", Self::Bucket),
        ("storage-bucket-lifecycle", Self::StorageBucket),
        ("storage-management-policy", Self::StorageAccount),
    ];
}

/// A forwarder's hop.
#[derive(Clone, Debug)]
pub struct Forwarding {
    /// The attribute that names where logs come from; none where others name the forwarder as their sink.
    pub from: Option<(AttributePath, Vec<Name>)>,
    /// The attribute that names where they go.
    pub path: AttributePath,
    /// The types that the next station may have.
    pub types: Vec<Name>,
    /// When everything that comes in goes on. Where none is written, a forwarder passes on everything, and of a store
    /// nobody knows.
    pub all: Option<Condition>,
}

/// A store that a service makes by itself.
#[derive(Clone, Debug)]
pub struct ServiceStore {
    /// Its type, where it can also be managed.
    pub kind: Name,
    /// Its documented name; `{attribute}` stands for an attribute of the source.
    pub name: String,
    /// Its retention when nobody manages it.
    pub retention: Days,
    /// What it keeps.
    pub categories: Vec<Category>,
}
