extension ResourceID {
    /// Whether it is that scope, or lies in it: a subscription, a group, or a resource that it is a child of.
    package func isWithin(_ scope: ResourceID) -> Bool {
        self == scope || text.lowercased().hasPrefix(scope.text.lowercased() + "/")
    }
}
