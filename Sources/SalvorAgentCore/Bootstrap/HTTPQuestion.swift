internal import Glibc

/// One GET by plain HTTP of an address that is written out, within limits of size and time. No name is looked up, no
/// proxy asked and no redirect followed.
struct HTTPQuestion: Sendable {
    /// Four numbers and dots.
    var address: String
    var port: UInt16
    var path: String
    var headers: [(name: String, value: String)]
    var longestBody: Int

    enum Fault: Error {
        case answer(HTTPAnswer.Fault)
        /// `errno` of the call that failed.
        case system(String, Int32)
        case timedOut
    }

    /// Blocking, for no longer than `limit`.
    func ask(limit: Duration) throws(Fault) -> HTTPAnswer {
        let deadline = ContinuousClock.now + limit
        let socket = try connect(by: deadline)
        var request = "GET \(path) HTTP/1.1\r\nHost: \(address)\r\nConnection: close\r\n"
        for header in headers { request += "\(header.name): \(header.value)\r\n" }
        try write(Array((request + "\r\n").utf8), to: socket, by: deadline)
        return try read(from: socket, by: deadline)
    }

    private func connect(by deadline: ContinuousClock.Instant) throws(Fault) -> Descriptor {
        let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { throw .system("socket", errno) }
        let descriptor = Descriptor(owning: number)
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_port = port.bigEndian
        guard inet_pton(AF_INET, address, &place.sin_addr) == 1 else { throw .system("inet_pton", EINVAL) }
        let result = withUnsafePointer(to: &place) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if result == 0 { return descriptor }
        guard errno == EINPROGRESS else { throw .system("connect", errno) }
        try wait(for: POLLOUT, of: descriptor, by: deadline)
        var fault: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(number, SOL_SOCKET, SO_ERROR, &fault, &size) == 0 else { throw .system("connect", errno) }
        guard fault == 0 else { throw .system("connect", fault) }
        return descriptor
    }

    private func write(_ bytes: [UInt8], to socket: borrowing Descriptor, by deadline: ContinuousClock.Instant)
        throws(Fault)
    {
        var rest = bytes[...]
        while !rest.isEmpty {
            try wait(for: POLLOUT, of: socket, by: deadline)
            // Without MSG_NOSIGNAL a service that hangs up would end the agent.
            let count = rest.withUnsafeBytes { send(socket.number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count < 0, errno == EINTR || errno == EAGAIN { continue }
            guard count >= 0 else { throw .system("send", errno) }
            rest = rest.dropFirst(count)
        }
    }

    private func read(from socket: borrowing Descriptor, by deadline: ContinuousClock.Instant) throws(Fault)
        -> HTTPAnswer
    {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            try wait(for: POLLIN, of: socket, by: deadline)
            let count = buffer.withUnsafeMutableBytes { recv(socket.number, $0.baseAddress, $0.count, 0) }
            if count < 0, errno == EINTR || errno == EAGAIN { continue }
            guard count >= 0 else { throw .system("recv", errno) }
            bytes += buffer[..<count]
            do throws(HTTPAnswer.Fault) {
                if let answer = try HTTPAnswer.parse(bytes, isWhole: count == 0, longestBody: longestBody) {
                    return answer
                }
            } catch {
                throw .answer(error)
            }
        }
    }

    private func wait(
        for events: Int32, of socket: borrowing Descriptor, by deadline: ContinuousClock.Instant
    ) throws(Fault) {
        while true {
            let left = deadline - ContinuousClock.now
            guard left > .zero else { throw .timedOut }
            var question = pollfd(fd: socket.number, events: Int16(events), revents: 0)
            let (seconds, attoseconds) = left.components
            let milliseconds = Int32(clamping: seconds.multipliedReportingOverflow(by: 1000).partialValue)
            let result = poll(&question, 1, max(1, milliseconds + Int32(attoseconds / 1_000_000_000_000_000)))
            if result > 0 { return }
            guard result == 0 || errno == EINTR else { throw .system("poll", errno) }
        }
    }
}

extension HTTPQuestion.Fault: CustomStringConvertible {
    var description: String {
        switch self {
        case .answer(.malformed(let why)): "its answer cannot be read: \(why)"
        case .answer(.tooLong): "its answer is too long"
        case .answer(.truncated): "its answer breaks off"
        case .system(let call, let number): "\(call): \(String(cString: strerror(number)))"
        case .timedOut: "it did not answer in time"
        }
    }
}
