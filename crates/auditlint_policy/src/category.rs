//! The kinds of event that a policy speaks of.

/// A category of events. The order is that of reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Category {
    /// Management API calls of a cloud, SaaS or cluster.
    ConfigurationChanges,
    /// Successful and failed sign-ins and connections.
    Authentication,
    /// Requests to a service at its edge.
    AccessLogs,
    /// Reads and writes of stored data.
    DataAccess,
    /// Statements and sessions inside a database.
    DatabaseActivity,
    /// Network connections.
    NetworkFlow,
    /// Name look-ups.
    DnsQueries,
    /// The platform's own components.
    ControlPlane,
    /// What a person did through a bastion or gateway.
    PrivilegedSessions,
    /// Host and application logs.
    System,
}

impl Category {
    /// All, in the order of reports.
    pub const ALL: [Self; 10] = [
        Self::ConfigurationChanges,
        Self::Authentication,
        Self::AccessLogs,
        Self::DataAccess,
        Self::DatabaseActivity,
        Self::NetworkFlow,
        Self::DnsQueries,
        Self::ControlPlane,
        Self::PrivilegedSessions,
        Self::System,
    ];

    /// The word of policies, rules and reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ConfigurationChanges => "configuration_changes",
            Self::Authentication => "authentication",
            Self::AccessLogs => "access_logs",
            Self::DataAccess => "data_access",
            Self::DatabaseActivity => "database_activity",
            Self::NetworkFlow => "network_flow",
            Self::DnsQueries => "dns_queries",
            Self::ControlPlane => "control_plane",
            Self::PrivilegedSessions => "privileged_sessions",
            Self::System => "system",
        }
    }

    /// The category of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|category| category.as_str() == word)
    }
}
