//! The attributes that state the addresses of a DIE.

use gimli::{DwAt, constants as dw};

use crate::form::Value;

/// The attributes that state addresses.
#[derive(Debug, Clone, Copy, Default)]
pub struct RangeAttributes<'a> {
    pub(crate) low_pc: Option<Value<'a>>,
    pub(crate) high_pc: Option<Value<'a>>,
    pub(crate) ranges: Option<Value<'a>>,
}

impl<'a> RangeAttributes<'a> {
    /// Stores the value if `name` is one of these attributes.
    pub fn set(&mut self, name: DwAt, value: Value<'a>) {
        let place = match name {
            dw::DW_AT_low_pc => &mut self.low_pc,
            dw::DW_AT_high_pc => &mut self.high_pc,
            dw::DW_AT_ranges => &mut self.ranges,
            _ => return,
        };
        place.get_or_insert(value);
    }

    /// Returns the same attributes without a tie to the section, which is possible because no string states an
    /// address.
    #[must_use]
    pub fn detached(&self) -> RangeAttributes<'static> {
        RangeAttributes {
            low_pc: self.low_pc.map(Value::detached),
            high_pc: self.high_pc.map(Value::detached),
            ranges: self.ranges.map(Value::detached),
        }
    }
}
