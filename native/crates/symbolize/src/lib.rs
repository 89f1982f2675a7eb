//! DWARF: function table, line rows with discriminators and the inline tree, as a frame table.
