//! Lists with an entry for each process: most of doomtop's memory where there are thousands.

/// Number of new entries for which space is kept between samples.
pub(crate) const SPARE_MAX: usize = 64;

/// Makes room for so many more entries, and a sixteenth to spare. A list that grows by itself doubles: half of
/// its memory would never be used.
pub(crate) fn make_room<T>(list: &mut Vec<T>, more: usize) {
    let needed = list.len() + more;
    if needed > list.capacity() {
        list.reserve_exact(more + needed / 16);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_grows_by_a_sixteenth() {
        let mut list: Vec<u8> = Vec::new();
        make_room(&mut list, 0);
        assert_eq!(list.capacity(), 0);
        list.resize(1600, 0);
        list.shrink_to_fit();
        make_room(&mut list, 1);
        assert_eq!(list.capacity(), 1600 + 1 + 100);
        list.extend([0; 101]);
        make_room(&mut list, 1);
        assert!((1702..1900).contains(&list.capacity()), "{}", list.capacity());
    }
}
