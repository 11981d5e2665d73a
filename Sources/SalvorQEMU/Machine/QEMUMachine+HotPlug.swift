internal import SalvorJSON
import SystemPackage

extension QEMUMachine {
    /// Plugs a virtio or a SCSI disk into a guest that is up.
    ///
    /// Not into one that is starting: Linux 6.1 was seen to crash (`__dev_sort_resources`, in one of three starts) when a
    /// disk came while it was assigning its PCI devices. And not by a reset either: SeaBIOS, run a second time, asks for
    /// another reset, which ends a QEMU whose guest may not restart.
    ///
    /// A disk that is there already under this serial is left as it is, so a repeat after a crash is harmless.
    /// - Parameter port: index of the hot-plug port; nil for the first free one. A SCSI disk needs none.
    /// - Throws: ``QEMUError/Code/conflict`` when the serial belongs to another file, all ports are taken, or the LUN is.
    package func attachDisk(_ disk: MachineDisk, port: Int? = nil) async throws(QEMUError) {
        guard disk.bus.isHotPlugged else {
            throw QEMUError(.invalidArgument, "\(disk.file) cannot be plugged in: only virtio and SCSI disks can.")
        }
        try await plugging.take { () async throws(QEMUError) in try await self.plug(disk, port: port) }
    }

    private func plug(_ disk: MachineDisk, port: Int?) async throws(QEMUError) {
        if let existing = try await blockNodes()[disk.nodeName] {
            guard existing.filename == disk.file.string, existing.readOnly == disk.readOnly else {
                throw QEMUError(
                    .conflict,
                    "The machine has a disk \(disk.serial) already, which is \(existing.filename) and not \(disk.file). "
                        + "It was left as it is.")
            }
        } else {
            try await monitor.execute("blockdev-add", disk.blockNode)
        }
        let devices = try await peripherals()
        if devices.contains(disk.deviceID) { return }
        do throws(QEMUError) {
            if case .scsi(let controller, let lun) = disk.bus {
                // QEMU's own words would not say whose it is.
                if let other = try await diskSerials(on: controller)[lun] {
                    throw QEMUError(
                        .conflict, "LUN \(lun) is taken by disk \(other); \(disk.file) was not plugged in.")
                }
                try await monitor.execute("device_add", disk.device())
            } else {
                let bus = try await freePort(port, for: disk, devices: devices)
                try await monitor.execute("device_add", disk.device(port: bus))
            }
        } catch {
            // A node without a device would keep the file locked and the next attempt from starting clean.
            _ = try? await monitor.execute("blockdev-del", ["node-name": .string(disk.nodeName)])
            throw error
        }
    }

    /// Takes a disk out: the guest is asked for it, and when it has let go the file is closed.
    ///
    /// A disk that is not there is as good as taken out.
    /// - Throws: ``QEMUError/Code/guestKeepsDisk`` when the guest does not let go in time; the disk is then still
    ///   plugged in and the file is still open.
    package func detachDisk(serial: String, limit: Duration = .seconds(20)) async throws(QEMUError) {
        guard MachineDisk.isSerial(serial) else { return }
        let device = "disk-\(serial)"
        let node = "node-\(serial)"
        let events = monitor.events()
        let deadline = ContinuousClock.now + limit
        while try await peripherals().contains(device) {
            guard ContinuousClock.now < deadline else {
                throw QEMUError(
                    .guestKeepsDisk,
                    "The guest has not let go of disk \(serial) within \(limit). It is still plugged in.")
            }
            do throws(QEMUError) {
                try await monitor.execute("device_del", ["id": .string(device)])
            } catch  where error.code == .commandRefused {
                // The last request is under way, or the guest has just let go. The events and the list tell.
            }
            // A guest that is still starting forgets the request, so it is made again.
            _ = await within(min(.seconds(1), deadline - ContinuousClock.now)) {
                for await event in events where event.name == "DEVICE_DELETED" && event.data["device"]?.string == device
                {
                    return
                }
            }
        }
        try await deleteNode(node, until: deadline)
    }

    /// A device that is gone from the machine holds its node until QEMU has finalized it, which a busy host puts off; no
    /// event tells of that, so what is refused is asked for again.
    private func deleteNode(_ node: String, until deadline: ContinuousClock.Instant) async throws(QEMUError) {
        while try await blockNodes()[node] != nil {
            do throws(QEMUError) {
                try await monitor.execute("blockdev-del", ["node-name": .string(node)])
                return
            } catch {
                guard error.code == .commandRefused, ContinuousClock.now < deadline else { throw error }
            }
            guard (try? await Task.sleep(for: .milliseconds(20))) != nil else {
                throw QEMUError(.cancelled, "Unplugging was cancelled; the block node \(node) is still there.")
            }
        }
    }

    /// Serials of the disks that the machine has, sorted.
    package func diskSerials() async throws(QEMUError) -> [String] {
        try await peripherals().filter { $0.hasPrefix("disk-") }.map { String($0.dropFirst(5)) }.sorted()
    }

    /// Serials of the disks on a SCSI controller, by their LUN.
    package func diskSerials(on controller: SCSIController) async throws(QEMUError) -> [Int: String] {
        var serials: [Int: String] = [:]
        for serial in try await diskSerials() {
            let path = JSONValue.string("/machine/peripheral/disk-\(serial)")
            let bus = try await monitor.execute("qom-get", ["path": path, "property": "parent_bus"])
            guard bus.string?.split(separator: "/").last.map(String.init) == controller.bus else { continue }
            let lun = try await monitor.execute("qom-get", ["path": path, "property": "lun"])
            if let lun = lun.integer { serials[Int(lun)] = serial }
        }
        return serials
    }

    private struct BlockNode: Sendable {
        var filename: String
        var readOnly: Bool
    }

    private func blockNodes() async throws(QEMUError) -> [String: BlockNode] {
        let answer = try await monitor.execute("query-named-block-nodes", ["flat": true])
        var nodes: [String: BlockNode] = [:]
        for node in answer.array ?? [] {
            guard let name = node["node-name"]?.string, let file = node["file"]?.string else { continue }
            nodes[name] = BlockNode(filename: file, readOnly: node["ro"]?.bool ?? false)
        }
        return nodes
    }

    private func peripherals() async throws(QEMUError) -> Set<String> {
        let answer = try await monitor.execute("qom-list", ["path": "/machine/peripheral"])
        return Set((answer.array ?? []).compactMap { $0["name"]?.string })
    }

    /// The bus to plug into: the one that was asked for, or the first that no disk is on.
    private func freePort(_ wanted: Int?, for disk: MachineDisk, devices: Set<String>) async throws(QEMUError) -> String
    {
        if let wanted { return QEMUCommandLine.portName(wanted) }
        var taken: Set<String> = []
        for device in devices where device.hasPrefix("disk-") {
            let path = "/machine/peripheral/\(device)"
            let answer = try await monitor.execute("qom-get", ["path": .string(path), "property": "parent_bus"])
            // `/machine/peripheral/port3/port3`: the bus carries its port's name.
            if let bus = answer.string?.split(separator: "/").last { taken.insert(String(bus)) }
        }
        var index = 0
        while devices.contains(QEMUCommandLine.portName(index)) {
            let name = QEMUCommandLine.portName(index)
            if !taken.contains(name) { return name }
            index += 1
        }
        throw QEMUError(.conflict, "All \(index) hot-plug ports are taken; \(disk.file) was not plugged in.")
    }
}
