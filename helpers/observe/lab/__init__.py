"""A lab for small programs: real threads that stop before every shared step until they are told to go on."""
