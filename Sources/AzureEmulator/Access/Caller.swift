/// Who asks: an application or a managed identity.
package struct Caller: Hashable, Sendable, Codable {
    /// Its id as a client.
    package let client: String
    /// Its id as an object of the directory, which roles are assigned to.
    package let object: String
}
