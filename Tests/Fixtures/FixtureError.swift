/// A fixture that could not be made. Tests fail with it; nobody handles it.
package struct FixtureError: Error, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}
