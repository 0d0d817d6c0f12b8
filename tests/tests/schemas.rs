//! The catalogue against the providers' schemas: every type, path and value that a file below `policies/` names is
//! there, and a remedy writes what Terraform takes.
//!
//! `AUDITLINT_OVERWRITE=1 cargo test -p auditlint_tests --test schemas` writes `policies/schemas` anew where the
//! schemas lie beside the repository; the check itself reads only what is committed.

use anyhow::{Context as _, ensure};
use auditlint_policy::facts::Regions;
use auditlint_tests::markdown::whole;
use auditlint_tests::mismatch::mismatches;
use auditlint_tests::schema::Schemas;
use auditlint_tests::uses::kinds;
use auditlint_tests::{catalogue, catalogue_of, example, files_below, policy_texts, repository, shared};

/// What a table says of itself.
fn preface(provider: &str) -> String {
    format!(
        "# {provider}: the types that the catalogue names, written by `cargo xtask gen`.\n\
         # An argument is NAME TYPE PRESENCE, a nested block NAME block NESTING. The schemas tell neither which of the\n\
         # optional arguments the provider fills in, nor which are sensitive.\n"
    )
}

#[test]
fn every_path_that_the_catalogue_names_is_in_the_schemas() -> anyhow::Result<()> {
    let texts = policy_texts()?;
    let found = mismatches(&catalogue_of(&texts)?, &texts, &Schemas::committed()?);
    let lines: Vec<String> = found.iter().map(|problem| problem.to_string()).collect();
    ensure!(lines.is_empty(), "{} complaints:\n{}", lines.len(), lines.join("\n"));
    Ok(())
}

/// A type of AWS without `region` belongs to a service without regions: its source says so, or it is taken for one in the
/// region of its provider configuration.
#[test]
fn a_source_without_a_region_says_of_which_regions_it_records() -> anyhow::Result<()> {
    let (catalogue, schemas) = (catalogue()?, Schemas::committed()?);
    let mut looked_at = 0;
    for (kind, facts) in catalogue.all_facts().into_iter().filter(|(kind, _)| kind.starts_with("aws_")) {
        let Some(block) = schemas.get(kind).filter(|_| !facts.emits.is_empty()) else { continue };
        looked_at += 1;
        let stands = block.attributes.contains_key("region");
        let says_none =
            facts.emits.iter().all(|emission| matches!(emission.regions, Some(Regions::None | Regions::All)));
        ensure!(
            stands != says_none,
            "{kind}: region in the schema: {stands}, `regions` of its events: {says_none}"
        );
    }
    ensure!(looked_at > 30, "{looked_at} sources");
    Ok(())
}

#[test]
fn examples_write_what_the_schemas_have() -> anyhow::Result<()> {
    let found = example::mismatches(&*catalogue()?, &Schemas::committed()?)?;
    let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
    ensure!(lines.is_empty(), "{} complaints:\n{}", lines.len(), lines.join("\n"));
    Ok(())
}

#[test]
fn the_tables_are_those_of_the_schemas_beside_the_repository() -> anyhow::Result<()> {
    let Some(folder) = shared().map(|shared| shared.join("schemas")).filter(|folder| folder.is_dir()) else {
        return Ok(());
    };
    let texts = policy_texts()?;
    let mut open = kinds(&catalogue_of(&texts)?, &texts);
    for (name, provider, schemas) in Schemas::beside(&folder)? {
        let own: Vec<String> = open.iter().filter(|kind| schemas.get(kind).is_some()).cloned().collect();
        if own.is_empty() {
            continue;
        }
        open.retain(|kind| !own.contains(kind));
        let expected = preface(&provider) + &schemas.table(own.iter().map(String::as_str));
        whole(format!("policies/schemas/{name}.txt").as_str().into(), &expected)?;
    }
    Ok(())
}

/// A file of the catalogue, what stands there, what is wrong in its place, and what is said of it.
type Wrong = (&'static str, &'static str, &'static str, &'static str);

const WRONG: [Wrong; 9] = [
    (
        "rules/aws/cloudwatch/log-group-retention.yaml",
        "set: {retention_in_days: $retention}",
        "set: {retention_days: $retention}",
        "`aws_cloudwatch_log_group` has no `retention_days`; did you mean `retention_in_days`?",
    ),
    (
        "rules/aws/cloudwatch/log-group-retention.yaml",
        "set: {retention_in_days: $retention}",
        "set: {arn: x}",
        "`arn` of `aws_cloudwatch_log_group` is set by the provider alone",
    ),
    (
        "rules/aws/cloudwatch/log-group-retention.yaml",
        "selects: [aws_cloudwatch_log_group]",
        "selects: [aws_cloudwatch_loggroup]",
        "no schema has the type `aws_cloudwatch_loggroup`; did you mean `aws_cloudwatch_log_group`?",
    ),
    (
        "rules/aws/guardduty/organization.yaml",
        "join: detector_id",
        "join: detector",
        "`aws_guardduty_organization_configuration` has no `detector`",
    ),
    (
        "rules/aws/guardduty/organization.yaml",
        "{path: enable, equals: true}",
        "{path: enabled, equals: true}",
        "`aws_guardduty_detector` has no `enabled`; did you mean `enable`?",
    ),
    (
        "rules/aws/redshift/user-activity-logs.yaml",
        "some: parameter\n",
        "some: parameters\n",
        "`aws_redshift_parameter_group` has no `parameters`; did you mean `parameter`?",
    ),
    (
        "resources/aws/aws_lb.yaml",
        "path: access_logs.bucket,",
        "path: access_logs.buckets,",
        "has no `buckets` in `access_logs.buckets`; did you mean `bucket`?",
    ),
    (
        "resources/aws/aws_guardduty_detector.yaml",
        "defaults: {enable: true}",
        "defaults: {enable: 3}",
        "`enable` of `aws_guardduty_detector` is a bool, not `3`",
    ),
    (
        "resources/aws/aws_guardduty_detector.yaml",
        "blocks: [datasources]",
        "blocks: [enable]",
        "`enable` of `aws_guardduty_detector` is no nested block",
    ),
];

/// What is missing is said of something else, where that stands.
const MISSING: [Wrong; 2] = [
    (
        "rules/aws/guardduty/organization.yaml",
        "      detector_id: \"@id\"\n",
        "",
        "`aws_guardduty_organization_configuration` needs `detector_id`",
    ),
    (
        "resources/aws/aws_lb.yaml",
        "blocks: [access_logs, connection_logs, subnet_mapping]",
        "blocks: [connection_logs, subnet_mapping]",
        "`access_logs` is a nested block, which the facts of `aws_alb` do not list",
    ),
];

/// The line that was made wrong, and the one of which it is said.
fn lines(schemas: &Schemas, (file, from, to, message): Wrong) -> anyhow::Result<(usize, usize)> {
    let mut texts = policy_texts()?;
    let (_, text) = texts.iter_mut().find(|(path, _)| path == file).context(file)?;
    let (before, _) = text.split_once(from).with_context(|| format!("{file} has no `{from}`"))?;
    let line = before.matches('\n').count() + 1;
    *text = text.replacen(from, to, 1);
    let found = mismatches(&catalogue_of(&texts)?, &texts, schemas);
    let path = format!("policies/{file}");
    let one = found.iter().find(|problem| problem.path == path && problem.message.contains(message));
    let one = one.with_context(|| format!("{file}: nobody said: {message}\n{found:#?}"))?;
    Ok((line, one.at.line as usize))
}

#[test]
fn what_is_wrong_is_found_where_it_stands() -> anyhow::Result<()> {
    let schemas = Schemas::committed()?;
    for wrong in WRONG {
        let (expected, found) = lines(&schemas, wrong)?;
        ensure!(found == expected, "{}: `{}` is on line {expected}, not {found}", wrong.0, wrong.2);
    }
    Ok(())
}

#[test]
fn what_is_missing_is_found() -> anyhow::Result<()> {
    let schemas = Schemas::committed()?;
    for wrong in MISSING {
        lines(&schemas, wrong)?;
    }
    Ok(())
}

/// What people write has its source, and goes when a schema has it.
#[test]
fn what_people_write_is_in_no_schema_and_says_where_it_was_read() -> anyhow::Result<()> {
    let (mut ours, mut generated) = (Schemas::default(), Schemas::default());
    for path in files_below(&repository().join("policies/schemas"), "txt")? {
        #[expect(clippy::disallowed_methods, reason = "tests read the repository")]
        let text = std::fs::read_to_string(&path)?;
        if matches!(path.file_name(), Some("retired.txt" | "modules.txt" | "documents.txt" | "gateways.txt"))
        {
            ours.read(&text)?;
            for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with([' ', '#'])) {
                ensure!(line.contains(" https://"), "{path}: `{line}` does not say where it was read");
            }
        } else {
            generated.read(&text)?;
        }
    }
    for kind in ours.kinds() {
        let (Some(own), Some(current)) = (ours.get(kind), generated.get(kind)) else { continue };
        let names = own.attributes.keys().chain(own.blocks.keys());
        for name in names {
            ensure!(current.at(&[name]).is_err(), "`{name}` of `{kind}` is in the current schema");
        }
    }
    ensure!(ours.kinds().count() > 3 && generated.kinds().count() > 100, "the tables were not read");
    Ok(())
}
