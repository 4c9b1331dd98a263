extension Sequence {
    /// The first result that is not nil.
    package func first<Result>(_ transform: (Element) -> Result?) -> Result? {
        for element in self { if let result = transform(element) { return result } }
        return nil
    }
}
