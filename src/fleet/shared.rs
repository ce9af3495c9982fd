//! A list of rows that worlds share: a world in which nothing but its age is new holds the rows of the one before.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// Rows that are cheap to hand on. To change them makes them one's own first.
#[derive(Debug)]
pub struct Rows<T>(Arc<Vec<T>>);

impl<T> Rows<T> {
    /// Tells whether these are the very same rows, and not only equal ones.
    pub fn are(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T> Clone for Rows<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> From<Vec<T>> for Rows<T> {
    fn from(rows: Vec<T>) -> Self {
        Self(Arc::new(rows))
    }
}

impl<T> FromIterator<T> for Rows<T> {
    fn from_iter<I: IntoIterator<Item = T>>(rows: I) -> Self {
        Vec::from_iter(rows).into()
    }
}

impl<T> Deref for Rows<T> {
    type Target = Vec<T>;
    fn deref(&self) -> &Vec<T> {
        &self.0
    }
}

impl<T: Clone> DerefMut for Rows<T> {
    fn deref_mut(&mut self) -> &mut Vec<T> {
        Arc::make_mut(&mut self.0)
    }
}

impl<'a, T> IntoIterator for &'a Rows<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::Rows;

    #[test]
    fn a_copy_is_the_same_rows_until_it_is_changed() {
        let first: Rows<u8> = vec![1, 2].into();
        let mut second = first.clone();
        assert!(first.are(&second));
        second.push(3);
        assert!(!first.are(&second));
        assert_eq!((first.len(), second.as_slice()), (2, &[1, 2, 3][..]));
    }
}
