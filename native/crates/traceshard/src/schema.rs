//! The columns of a shard, and how they are found in a file.

use std::sync::Arc;

use parquet::basic::{ConvertedType, LogicalType, Type as Physical};
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::{ColumnDescriptor, SchemaDescriptor, Type};

use crate::error::Error;

/// Version of the schema. Adding a column, or changing the meaning of one, increases it by one.
pub const SCHEMA_VERSION: u32 = 4;

/// The type of the values of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    /// A number that is not negative.
    Number,
    Flag,
}

/// The columns, in the order of the file: the name, and true if every row has a value.
pub const COLUMNS: [(&str, bool); 22] = [
    ("record", true),
    ("build_id", false),
    ("path", true),
    ("kind", false),
    ("event", false),
    ("arch", false),
    ("branch_from", false),
    ("branch_to", false),
    ("run_end", false),
    ("newest", true),
    ("stack_end", false),
    ("crosses_kernel", false),
    ("via", false),
    ("patch", false),
    ("exact", false),
    ("taken", false),
    ("run_start", false),
    ("branch_stack", false),
    ("call_chain", false),
    ("has_call_chain", false),
    ("count", true),
    ("mispredicted", true),
];

/// Numbers of the columns, by their content.
pub(crate) mod column {
    pub(crate) const RECORD: usize = 0;
    pub(crate) const BUILD_ID: usize = 1;
    pub(crate) const PATH: usize = 2;
    pub(crate) const KIND: usize = 3;
    pub(crate) const EVENT: usize = 4;
    pub(crate) const ARCH: usize = 5;
    pub(crate) const FROM: usize = 6;
    pub(crate) const TO: usize = 7;
    pub(crate) const END: usize = 8;
    pub(crate) const NEWEST: usize = 9;
    pub(crate) const STACK_END: usize = 10;
    pub(crate) const CROSSES_KERNEL: usize = 11;
    pub(crate) const VIA: usize = 12;
    pub(crate) const PATCH: usize = 13;
    pub(crate) const EXACT: usize = 14;
    pub(crate) const TAKEN: usize = 15;
    pub(crate) const RUN_START: usize = 16;
    pub(crate) const BRANCH_STACK: usize = 17;
    pub(crate) const CALL_CHAIN: usize = 18;
    pub(crate) const HAS_CALL_CHAIN: usize = 19;
    pub(crate) const COUNT: usize = 20;
    pub(crate) const MISPREDICTED: usize = 21;

    /// Columns that all rows of a [`Block`](crate::Block) have in common.
    pub(crate) const OF_BLOCKS: [usize; 6] = [RECORD, BUILD_ID, PATH, KIND, EVENT, ARCH];

    /// Columns that versions 1, 2 or 3 of the schema did not have. Rows of these versions need none of them: the
    /// first two serve BOLT only, the next three belong to records of version 3, and the last three tell of call
    /// chains, which these versions left out.
    pub(crate) const LATER: [usize; 8] = [
        STACK_END,
        CROSSES_KERNEL,
        EXACT,
        TAKEN,
        RUN_START,
        BRANCH_STACK,
        CALL_CHAIN,
        HAS_CALL_CHAIN,
    ];
}

pub(crate) const fn kind_of(index: usize) -> Kind {
    match index {
        column::FROM
        | column::TO
        | column::END
        | column::STACK_END
        | column::RUN_START
        | column::COUNT
        | column::MISPREDICTED => Kind::Number,
        column::NEWEST | column::CROSSES_KERNEL | column::EXACT | column::TAKEN | column::HAS_CALL_CHAIN => Kind::Flag,
        _ => Kind::Text,
    }
}

/// Returns the schema that is written.
pub(crate) fn message() -> Arc<Type> {
    let mut text = "message traces {\n".to_owned();
    for (index, (name, required)) in COLUMNS.iter().enumerate() {
        let repetition = if *required { "REQUIRED" } else { "OPTIONAL" };
        text += &match kind_of(index) {
            Kind::Text => format!("{repetition} BYTE_ARRAY {name} (STRING);\n"),
            Kind::Number => format!("{repetition} INT64 {name} (INTEGER(64,false));\n"),
            Kind::Flag => format!("{repetition} BOOLEAN {name};\n"),
        };
    }
    text.push('}');
    Arc::new(parse_message_type(&text).unwrap_or_else(|error| unreachable!("{error}: {text}")))
}

/// The way to read a column of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Source {
    /// Number of the column in the file.
    pub index: usize,
    /// True if numbers are stored as signed. No number may be negative.
    pub signed: bool,
    pub physical: Physical,
}

/// Finds the columns in a file. A column may be missing if the name of a folder that the file is in states
/// it: `given` returns true for such a column. `has_values` returns false for a column of the file in which no row has a
/// value; such a column may have any type, because engines choose one for `NULL AS via`.
pub(crate) fn find_columns(
    schema: &SchemaDescriptor,
    given: impl Fn(&str) -> bool,
    has_values: impl Fn(usize) -> bool,
) -> Result<[Option<Source>; COLUMNS.len()], Error> {
    let mut found = [None; COLUMNS.len()];
    let mut missing = Vec::new();
    for (number, (name, required)) in COLUMNS.iter().enumerate() {
        // Some engines write all names in capitals. The first part of a path names the column, and the others are parts of
        // its values, such as the elements of a list.
        let is_name = |column: &&ColumnDescriptor| column.path().parts()[0].eq_ignore_ascii_case(name);
        let columns = || schema.columns().iter().map(AsRef::as_ref);
        let position = columns().position(|column| is_name(&column));
        if columns()
            .filter(is_name)
            .filter(|column| column.path().parts().len() == 1)
            .count()
            > 1
        {
            return Err(Error::Twice { column: name });
        }
        match position {
            // This type has no values.
            Some(index) if !required && is_of_nulls(&schema.column(index)) => {}
            Some(index) => match source(number, index, &schema.column(index)) {
                Err(_) if !required && !has_values(index) => {}
                source => found[number] = Some(source?),
            },
            None if given(name) => {}
            None if column::LATER.contains(&number) => {}
            None => missing.push(*name),
        }
    }
    match missing.len() {
        0 => Ok(found),
        // Most columns that a shard needs are there.
        some if some < COLUMNS.len() / 3 => Err(Error::Incomplete { missing }),
        _ => Err(Error::Foreign { missing }),
    }
}

fn is_of_nulls(column: &ColumnDescriptor) -> bool {
    column.logical_type_ref() == Some(&LogicalType::Unknown) && column.max_rep_level() == 0
}

fn source(number: usize, index: usize, column: &ColumnDescriptor) -> Result<Source, Error> {
    let physical = column.physical_type();
    let logical = column.logical_type_ref();
    let wrong = |expected| Error::WrongType {
        column: COLUMNS[number].0,
        found: describe(column),
        expected,
    };
    if column.max_rep_level() > 0 || column.max_def_level() > 1 || column.path().parts().len() > 1 {
        return Err(wrong("a single value in each row"));
    }
    let source = |signed| Source {
        index,
        signed,
        physical,
    };
    let integer = match number {
        column::COUNT | column::MISPREDICTED => SUM,
        _ => INTEGER,
    };
    let is_decimal =
        matches!(logical, Some(LogicalType::Decimal { .. })) || column.converted_type() == ConvertedType::DECIMAL;
    match (kind_of(number), physical) {
        (Kind::Text, Physical::BYTE_ARRAY) if !is_decimal => Ok(source(false)),
        (Kind::Text, _) => Err(wrong("text")),
        (Kind::Flag, Physical::BOOLEAN) => Ok(source(false)),
        (Kind::Flag, _) => Err(wrong("a truth value")),
        (Kind::Number, Physical::INT32 | Physical::INT64) => match (logical, column.converted_type()) {
            (Some(LogicalType::Integer(integer)), _) => Ok(source(integer.is_signed)),
            (
                None,
                ConvertedType::UINT_64 | ConvertedType::UINT_32 | ConvertedType::UINT_16 | ConvertedType::UINT_8,
            ) => Ok(source(false)),
            (
                None,
                ConvertedType::NONE
                | ConvertedType::INT_64
                | ConvertedType::INT_32
                | ConvertedType::INT_16
                | ConvertedType::INT_8,
            ) => Ok(source(true)),
            _ => Err(wrong(integer)),
        },
        (Kind::Number, _) => Err(wrong(integer)),
    }
}

const SUM: &str = "an integer (cast sums: SUM(count)::UBIGINT in DuckDB, CAST(SUM(count) AS BIGINT) elsewhere)";
const INTEGER: &str = "an integer (cast addresses to UBIGINT in DuckDB and to BIGINT elsewhere; pandas keeps integers if it reads files with \
                       dtype_backend='pyarrow')";

fn describe(column: &ColumnDescriptor) -> String {
    let physical = column.physical_type();
    if column.path().parts().len() > 1 {
        return "a list or a structure".to_owned();
    }
    match column.logical_type_ref() {
        Some(LogicalType::Decimal(decimal)) => format!("DECIMAL({}, {})", decimal.precision, decimal.scale),
        Some(logical) => {
            // The details of a type, such as the unit of a time, are not shown.
            let text = format!("{logical:?}");
            format!("{physical} ({})", text.split(['(', ' ']).next().unwrap_or_default())
        }
        None if column.converted_type() != ConvertedType::NONE => format!("{physical} ({})", column.converted_type()),
        None => physical.to_string(),
    }
}
