enum SalvorImagePlaceholder {}
