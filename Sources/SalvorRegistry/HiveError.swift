/// Why a registry hive cannot be read.
package struct HiveError: Error, CustomStringConvertible {
    /// A sentence.
    package let description: String

    package init(_ description: String) { self.description = description }
}
