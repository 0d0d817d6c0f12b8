//! Well-typed expressions, put together at random from a fixed seed.

use std::fmt::Write as _;

use crate::dice::Dice;

/// The type that an expression is to have.
#[derive(Clone, Debug)]
enum Type {
    Number,
    Text,
    Bool,
    List(Box<Self>),
    /// A map of that type with the keys `a`, `b` and `c`, or an object of them.
    Map(Box<Self>),
    /// An object whose attributes are `n` (a number), `s` (a text) and `l` (a list of numbers).
    Object,
}

const NUMBERS: &[&str] =
    &["0", "1", "2", "7", "10", "-3", "0.5", "1.25", "100", "9007199254740993", "1e3", "-0.1", "3"];
const TEXTS: &[&str] = &[
    "\"\"",
    "\"a\"",
    "\"abc\"",
    "\"Hello, World\"",
    "\"é\"",
    "\"e\\u0301x\"",
    "\"😀 ok\"",
    "\"10\"",
    "\"-2.5\"",
    "\"a-b-c\"",
    "\" padded \"",
    "\"line\\nline\"",
    "\"$${x}\"",
    "\"true\"",
];
const BOOLS: &[&str] = &["true", "false"];

/// `count` expressions.
#[must_use]
pub fn expressions(count: usize) -> Vec<String> {
    let mut generator = Generator { random: Dice(20_240_229), names: Vec::new() };
    let types = [
        Type::Number,
        Type::Text,
        Type::Bool,
        Type::List(Box::new(Type::Number)),
        Type::List(Box::new(Type::Text)),
        Type::Map(Box::new(Type::Number)),
        Type::Map(Box::new(Type::Text)),
        Type::Object,
    ];
    types.iter().cycle().take(count).map(|wanted| generator.expression(wanted, 4)).collect()
}

struct Generator {
    random: Dice,
    /// The names that are in scope, with their types.
    names: Vec<(String, Type)>,
}

impl Generator {
    /// An expression of type `wanted` whose nesting is at most `depth`.
    fn expression(&mut self, wanted: &Type, depth: u32) -> String {
        if depth == 0 {
            return self.leaf(wanted);
        }
        let depth = depth - 1;
        match self.random.below(10) {
            0 => self.conditional(wanted, depth),
            1 => self.picked(wanted, depth),
            2 => self.tried(wanted, depth),
            3 => match self.named(wanted) {
                Some(name) => name,
                None => self.plain(wanted, depth),
            },
            _ => self.plain(wanted, depth),
        }
    }

    fn leaf(&mut self, wanted: &Type) -> String {
        if self.random.below(2) == 0
            && let Some(name) = self.named(wanted)
        {
            return name;
        }
        match wanted {
            Type::Number => self.random.of(NUMBERS).to_owned(),
            Type::Text => self.random.of(TEXTS).to_owned(),
            Type::Bool => self.random.of(BOOLS).to_owned(),
            Type::List(item) => {
                let count = self.random.below(4);
                let items: Vec<String> = (0..count).map(|_| self.leaf(item)).collect();
                format!("[{}]", items.join(", "))
            }
            Type::Map(item) => {
                format!("{{ a = {}, b = {}, c = {} }}", self.leaf(item), self.leaf(item), self.leaf(item))
            }
            Type::Object => {
                let (n, s) = (self.random.of(NUMBERS), self.random.of(TEXTS));
                format!("{{ n = {n}, s = {s}, l = [1, {n}] }}")
            }
        }
    }

    /// A name in scope that has the type.
    fn named(&mut self, wanted: &Type) -> Option<String> {
        let fitting: Vec<String> = self
            .names
            .iter()
            .filter(|(_, is)| std::mem::discriminant(is) == std::mem::discriminant(wanted))
            .filter(|(_, is)| matches!(is, Type::Number | Type::Text | Type::Bool))
            .map(|(name, _)| name.clone())
            .collect();
        let at = self.random.below(fitting.len());
        fitting.get(at).cloned()
    }

    fn number(&mut self, depth: u32) -> String {
        self.expression(&Type::Number, depth)
    }

    fn text(&mut self, depth: u32) -> String {
        self.expression(&Type::Text, depth)
    }

    fn bool(&mut self, depth: u32) -> String {
        self.expression(&Type::Bool, depth)
    }

    fn list(&mut self, item: &Type, depth: u32) -> String {
        self.expression(&Type::List(Box::new(item.clone())), depth)
    }

    fn conditional(&mut self, wanted: &Type, depth: u32) -> String {
        let condition = self.bool(depth);
        let (yes, no) = (self.expression(wanted, depth), self.expression(wanted, depth));
        format!("({condition} ? {yes} : {no})")
    }

    /// An element of a list, a map or an object.
    fn picked(&mut self, wanted: &Type, depth: u32) -> String {
        let (first, second) = (self.expression(wanted, depth), self.expression(wanted, depth));
        let key = self.random.of(&["a", "b"]);
        match self.random.below(6) {
            0 => format!("[{first}, {second}][{}]", self.random.below(2)),
            1 => format!("{{ a = {first}, b = {second} }}.{key}"),
            2 => format!("{{ a = {first}, b = {second} }}[\"{key}\"]"),
            3 => format!("element([{first}, {second}], {})", self.random.below(5)),
            4 => format!("([{{ a = {first} }}, {{ a = {second} }}][*].a)[1]"),
            _ => format!("lookup({{ a = {first} }}, \"{key}\", {second})"),
        }
    }

    fn tried(&mut self, wanted: &Type, depth: u32) -> String {
        let (first, second) = (self.expression(wanted, depth), self.expression(wanted, depth));
        match self.random.below(4) {
            0 => format!("try({first}, {second})"),
            1 => format!("try(tonumber(\"x\"), {second})"),
            2 => format!("coalesce(null, {first})"),
            _ => format!("one([{first}])"),
        }
    }

    fn plain(&mut self, wanted: &Type, depth: u32) -> String {
        match wanted {
            Type::Number => self.plain_number(depth),
            Type::Text => self.plain_text(depth),
            Type::Bool => self.plain_bool(depth),
            Type::List(item) => self.plain_list(item, depth),
            Type::Map(item) => self.plain_map(item, depth),
            Type::Object => {
                let (n, s) = (self.number(depth), self.text(depth));
                let l = self.list(&Type::Number, depth);
                match self.random.below(3) {
                    0 => format!("merge({{ n = {n}, s = {s} }}, {{ l = {l} }})"),
                    1 => format!("jsondecode(jsonencode({{ n = {n}, s = {s}, l = {l} }}))"),
                    _ => format!("{{ n = {n}, \"s\" = {s}, (\"l\") = {l} }}"),
                }
            }
        }
    }

    fn plain_number(&mut self, depth: u32) -> String {
        match self.random.below(12) {
            0..=3 => {
                let operator = self.random.of(&["+", "-", "*", "+", "*", "/", "%"]);
                let (a, b) = (self.number(depth), self.number(depth));
                format!("({a} {operator} {b})")
            }
            4 => format!("length({})", self.list(&Type::Text, depth)),
            5 => format!("length({})", self.text(depth)),
            6 => format!("-({})", self.number(depth)),
            7 => {
                let function = self.random.of(&["abs", "ceil", "floor", "signum"]);
                format!("{function}({})", self.number(depth))
            }
            8 => {
                let function = self.random.of(&["max", "min"]);
                format!("{function}({}, {})", self.number(depth), self.number(depth))
            }
            9 => format!("sum(concat([1], {}))", self.list(&Type::Number, depth)),
            10 => format!("tonumber(tostring({}))", self.number(depth)),
            _ => format!("{}.n", self.expression(&Type::Object, depth)),
        }
    }

    fn plain_text(&mut self, depth: u32) -> String {
        let a = self.text(depth);
        match self.random.below(14) {
            0 => {
                let function = self.random.of(&["upper", "lower", "title", "strrev", "trimspace"]);
                format!("{function}({a})")
            }
            1 => format!("join(\"-\", {})", self.list(&Type::Text, depth)),
            2 => format!("\"<${{{a}}}|${{{}}}>\"", self.number(depth)),
            3 => {
                let (condition, b) = (self.bool(depth), self.text(depth));
                format!("\"%{{ if {condition} }}${{{a}}}%{{ else }}${{{b}}}%{{ endif }}\"")
            }
            4 => {
                let list = self.list(&Type::Text, depth);
                let name = self.bind(&Type::Text);
                let inner = self.text(depth);
                self.names.pop();
                format!("\"%{{ for {name} in {list} }}[${{{inner}}}]%{{ endfor }}\"")
            }
            5 => format!("substr({a}, {}, {})", self.random.below(3), self.random.below(4)),
            6 => format!("replace({a}, {}, {})", self.random.of(TEXTS), self.random.of(TEXTS)),
            7 => format!("format(\"%s/%v/%q\", {a}, {}, {a})", self.number(depth)),
            8 => format!("tostring({})", self.number(depth)),
            9 => {
                let function = self.random.of(&["md5", "sha1", "sha256", "base64encode", "urlencode"]);
                format!("{function}({a})")
            }
            10 => format!("jsonencode({})", self.expression(&Type::Object, depth)),
            11 => format!("trimprefix({a}, {})", self.random.of(TEXTS)),
            12 => format!("{}.s", self.expression(&Type::Object, depth)),
            _ => format!("keys({})[0]", self.expression(&Type::Map(Box::new(Type::Number)), depth)),
        }
    }

    fn plain_bool(&mut self, depth: u32) -> String {
        match self.random.below(9) {
            0 => {
                let operator = self.random.of(&["==", "!=", "<", ">", "<=", ">="]);
                format!("({} {operator} {})", self.number(depth), self.number(depth))
            }
            1 => {
                let operator = self.random.of(&["==", "!="]);
                format!("({} {operator} {})", self.text(depth), self.text(depth))
            }
            2 => {
                let operator = self.random.of(&["&&", "||"]);
                format!("({} {operator} {})", self.bool(depth), self.bool(depth))
            }
            3 => format!("!{}", self.bool(depth)),
            4 => format!("contains({}, {})", self.list(&Type::Text, depth), self.text(depth)),
            5 => {
                let function = self.random.of(&["startswith", "endswith", "strcontains"]);
                format!("{function}({}, {})", self.text(depth), self.text(depth))
            }
            6 => format!("can(tonumber({}))", self.text(depth)),
            7 => {
                let function = self.random.of(&["alltrue", "anytrue"]);
                format!("{function}([{}, {}])", self.bool(depth), self.bool(depth))
            }
            _ => format!("({} == {})", self.list(&Type::Number, depth), self.list(&Type::Number, depth)),
        }
    }

    fn plain_list(&mut self, item: &Type, depth: u32) -> String {
        match self.random.below(11) {
            0 | 1 => {
                let list = self.list(item, depth);
                let name = self.bind(item);
                let inner = self.expression(item, depth);
                let condition = self.random.below(2) == 0;
                let condition = if condition { format!(" if {}", self.bool(depth)) } else { String::new() };
                self.names.pop();
                format!("[for {name} in {list} : {inner}{condition}]")
            }
            2 => format!("concat({}, {})", self.list(item, depth), self.list(item, depth)),
            3 => format!("reverse({})", self.list(item, depth)),
            4 => format!("distinct({})", self.list(item, depth)),
            5 => format!("values({})", self.expression(&Type::Map(Box::new(item.clone())), depth)),
            6 => format!("[{}, {}]", self.expression(item, depth), self.expression(item, depth)),
            7 => format!("flatten([{}, [{}]])", self.list(item, depth), self.list(item, depth)),
            8 => format!("tolist(toset({}))", self.list(item, depth)),
            9 => format!("slice(concat({}, {}), 0, 2)", self.list(item, 0), self.leaf_pair(item)),
            _ => match item {
                Type::Number => format!("range({})", self.random.of(&["0", "3", "1, 4", "5, 0, -2"])),
                _ => format!("sort({})", self.list(item, depth)),
            },
        }
    }

    fn leaf_pair(&mut self, item: &Type) -> String {
        format!("[{}, {}]", self.leaf(item), self.leaf(item))
    }

    fn plain_map(&mut self, item: &Type, depth: u32) -> String {
        match self.random.below(5) {
            0 | 1 => {
                let map = self.expression(&Type::Map(Box::new(item.clone())), depth);
                let name = self.bind(item);
                let inner = self.expression(item, depth);
                self.names.pop();
                format!("{{ for k, {name} in {map} : k => {inner} }}")
            }
            2 => {
                let map = Type::Map(Box::new(item.clone()));
                format!("merge({}, {})", self.expression(&map, depth), self.expression(&map, depth))
            }
            3 => format!(
                "zipmap([\"a\", \"b\", \"c\"], [{}, {}, {}])",
                self.expression(item, depth),
                self.expression(item, depth),
                self.expression(item, depth)
            ),
            _ => {
                let mut out = "{".to_owned();
                for key in ["a", "\"b\"", "(\"c\")"] {
                    let item = self.expression(item, depth);
                    let _ = write!(out, " {key} = {item},");
                }
                out.push_str(" }");
                out
            }
        }
    }

    /// Brings a new name of that type into scope.
    fn bind(&mut self, is: &Type) -> String {
        let name = format!("v{}", self.names.len());
        self.names.push((name.clone(), is.clone()));
        name
    }
}
