internal import CHivex
internal import Glibc

/// Changes to a hive that was opened to be edited. They are in memory until ``commit()``.
extension Hive {
    /// The key at a path below the root; what is missing of it is made, with the rights of what it is made in.
    /// - Throws: ``HiveError``
    package borrowing func makeKey(_ path: [String]) throws(HiveError) -> Key {
        var node = hivex_root(handle)
        for name in path {
            let known = hivex_node_get_child(handle, node, name)
            node = known != 0 ? known : hivex_node_add_child(handle, node, name)
            guard node != 0 else { throw Self.failure("The key \(name) could not be made") }
        }
        return Key(node: node)
    }

    /// Removes a key with all below it.
    /// - Throws: ``HiveError``
    package borrowing func delete(_ key: Key) throws(HiveError) {
        guard hivex_node_delete_child(handle, key.node) == 0 else { throw Self.failure("A key could not be removed") }
    }

    /// - Parameter name: empty for the key's default value.
    /// - Throws: ``HiveError``
    package borrowing func set(_ name: String, to value: RegistryValue, of key: Key) throws(HiveError) {
        let result = Self.withValue(name, value) { value in
            var value = value
            return hivex_node_set_value(handle, key.node, &value, 0)
        }
        guard result == 0 else { throw Self.failure("The value \(name) could not be set") }
    }

    /// Removes a value. libhivex sets all values of a key at once, or one: what stays is set anew.
    /// - Throws: ``HiveError``
    package borrowing func deleteValue(_ name: String, of key: Key) throws(HiveError) {
        guard let (gone, _) = value(name, of: key), let list = hivex_node_values(handle, key.node) else { return }
        defer { free(list) }
        var kept: [hive_set_value] = []
        defer {
            for value in kept {
                free(value.key)
                free(value.value)
            }
        }
        var index = 0
        while list[index] != 0 {
            defer { index += 1 }
            guard list[index] != gone else { continue }
            var type = hive_t_REG_NONE
            var length = 0
            guard let name = hivex_value_key(handle, list[index]),
                let bytes = hivex_value_value(handle, list[index], &type, &length)
            else { throw Self.failure("A value beside \(name) cannot be read") }
            kept.append(hive_set_value(key: name, t: type, len: length, value: bytes))
        }
        guard hivex_node_set_values(handle, key.node, kept.count, kept, 0) == 0 else {
            throw Self.failure("The value \(name) could not be removed")
        }
    }

    /// The whole hive with its changes, closed.
    /// - Throws: ``HiveError``
    package borrowing func commit() throws(HiveError) -> [UInt8] {
        let file = try MemoryFile()
        guard hivex_commit(handle, file.path, 0) == 0, let bytes = file.bytes() else {
            throw Self.failure("The hive could not be put together")
        }
        return bytes
    }

    private static func withValue<Result>(
        _ name: String, _ value: RegistryValue, _ body: (hive_set_value) -> Result
    ) -> Result {
        var bytes = value.bytes.map { CChar(bitPattern: $0) }
        var name = Array(name.utf8CString)
        return name.withUnsafeMutableBufferPointer { name in
            bytes.withUnsafeMutableBufferPointer { bytes in
                body(
                    hive_set_value(
                        key: name.baseAddress, t: hive_type(value.type), len: bytes.count, value: bytes.baseAddress))
            }
        }
    }
}
