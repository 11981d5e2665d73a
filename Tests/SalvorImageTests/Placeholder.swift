enum SalvorImageTestsPlaceholder {}
