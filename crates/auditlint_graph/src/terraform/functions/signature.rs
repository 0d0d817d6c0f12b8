//! How many arguments each function takes, and to which types they convert before it is called.
//!
//! Source: `terraform metadata functions -json` of Terraform 1.11, and the documentation of OpenTofu 1.11 for the
//! functions that only it has.

use super::super::types::Type;
use crate::Tracked;

/// The parameters of a function.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signature {
    parameters: &'static [Parameter],
    rest: Option<Parameter>,
}

/// A type, and whether `null` may be given.
#[derive(Clone, Copy, Debug)]
struct Parameter {
    kind: Kind,
    nullable: bool,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Any,
    Text,
    Number,
    List,
    Texts,
    Truths,
    Set,
    MapOfTexts,
}

impl Signature {
    /// The arguments as the function takes them; none where terraform refuses them.
    pub(super) fn convert(self, arguments: &[Tracked]) -> Option<Vec<Tracked>> {
        if arguments.len() < self.parameters.len()
            || arguments.len() > self.parameters.len() && self.rest.is_none()
        {
            return None;
        }
        let parameters = self.parameters.iter().copied().map(Some).chain(std::iter::repeat(self.rest));
        arguments
            .iter()
            .zip(parameters)
            .map(|(argument, parameter)| {
                let parameter = parameter?;
                if argument.is_null() && !parameter.nullable {
                    return None;
                }
                parameter.kind.as_type().converted(argument).or_else(|| {
                    // What holds something that is not known yet may still convert.
                    super::first_cause(argument).map(|_| argument.clone())
                })
            })
            .collect()
    }
}

impl Kind {
    fn as_type(self) -> Type {
        let of = |inner: Type| Box::new(inner);
        match self {
            Self::Any => Type::Any,
            Self::Text => Type::String,
            Self::Number => Type::Number,
            Self::List => Type::List(of(Type::Any)),
            Self::Texts => Type::List(of(Type::String)),
            Self::Truths => Type::List(of(Type::Bool)),
            Self::Set => Type::Set(of(Type::Any)),
            Self::MapOfTexts => Type::Map(of(Type::List(of(Type::String)))),
        }
    }
}

const fn one(kind: Kind) -> Parameter {
    Parameter { kind, nullable: false }
}

const fn or_null(kind: Kind) -> Parameter {
    Parameter { kind, nullable: true }
}

const ANY: Parameter = one(Kind::Any);
const MAYBE: Parameter = or_null(Kind::Any);
const TEXT: Parameter = one(Kind::Text);
const NUMBER: Parameter = one(Kind::Number);
const LIST: Parameter = one(Kind::List);
const TEXTS: Parameter = one(Kind::Texts);
const SET: Parameter = one(Kind::Set);

/// The signature of the function `name`; none where there is no such function.
pub(super) fn of(name: &str) -> Option<Signature> {
    let (parameters, rest): (&'static [Parameter], Option<Parameter>) = match name {
        "abs" | "ceil" | "floor" | "signum" => (&[NUMBER], None),
        "log" | "pow" => (&[NUMBER, NUMBER], None),
        "max" | "min" | "range" => (&[], Some(NUMBER)),
        "parseint" => (&[ANY, NUMBER], None),
        "sum" => (&[ANY], None),
        "alltrue" | "anytrue" => (const { &[one(Kind::Truths)] }, None),
        "chomp" | "lower" | "upper" | "title" | "strrev" | "trimspace" => (&[TEXT], None),
        "endswith" | "startswith" | "strcontains" | "trim" | "trimprefix" | "trimsuffix" | "split"
        | "regex" | "regexall" => (&[TEXT, TEXT], None),
        "indent" => (&[NUMBER, TEXT], None),
        "join" => (&[TEXT], Some(TEXTS)),
        "replace" => (&[TEXT, TEXT, TEXT], None),
        "substr" => (&[TEXT, NUMBER, NUMBER], None),
        "format" | "formatlist" => (&[TEXT], Some(MAYBE)),
        "base64decode" | "base64encode" | "base64gzip" | "base64sha256" | "base64sha512" | "md5" | "sha1"
        | "sha256" | "sha512" | "bcrypt" | "urlencode" | "urldecode" | "jsondecode" | "csvdecode"
        | "yamldecode" | "cidrnetmask" | "basename" | "dirname" | "abspath" | "pathexpand" | "file"
        | "fileexists" | "filebase64" | "filebase64sha256" | "filebase64sha512" | "filemd5" | "filesha1"
        | "filesha256" | "filesha512" | "base64gunzip" => {
            (&[TEXT], if name == "bcrypt" { Some(NUMBER) } else { None })
        }
        "jsonencode" | "yamlencode" => (&[MAYBE], None),
        "textdecodebase64" | "textencodebase64" | "uuidv5" | "formatdate" | "timeadd" | "timecmp"
        | "fileset" | "rsadecrypt" | "cidrcontains" => (&[TEXT, TEXT], None),
        "templatefile" | "templatestring" => (&[TEXT, ANY], None),
        "timestamp" | "plantimestamp" | "uuid" => (&[], None),
        "cidrhost" => (&[TEXT, NUMBER], None),
        "cidrsubnet" => (&[TEXT, NUMBER, NUMBER], None),
        "cidrsubnets" => (&[TEXT], Some(NUMBER)),
        "tobool" | "tonumber" | "tostring" | "tolist" | "toset" | "tomap" | "sensitive" | "nonsensitive"
        | "issensitive" | "ephemeralasnull" | "type" => (&[MAYBE], None),
        "length" | "one" | "flatten" | "reverse" | "values" | "keys" => (&[ANY], None),
        "chunklist" => (&[LIST, NUMBER], None),
        "compact" | "sort" => (&[TEXTS], None),
        "distinct" => (&[LIST], None),
        "coalesce" | "coalescelist" | "merge" => (&[], Some(MAYBE)),
        "concat" => (&[], Some(ANY)),
        "contains" => (&[ANY, ANY], None),
        "index" => (&[ANY, ANY], None),
        "element" => (&[ANY, NUMBER], None),
        "lookup" => (&[ANY, TEXT], Some(MAYBE)),
        "matchkeys" => (&[LIST, LIST, LIST], None),
        "setintersection" | "setunion" => (&[SET], Some(SET)),
        "setsubtract" => (&[SET, SET], None),
        "setproduct" => (&[], Some(ANY)),
        "slice" => (&[ANY, NUMBER, NUMBER], None),
        "transpose" => (const { &[one(Kind::MapOfTexts)] }, None),
        "zipmap" => (&[TEXTS, ANY], None),
        _ => return None,
    };
    Some(Signature { parameters, rest })
}
