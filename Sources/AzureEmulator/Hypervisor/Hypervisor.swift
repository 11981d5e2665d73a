/// What machines run on, when they are real.
package protocol Hypervisor: Sendable {}
