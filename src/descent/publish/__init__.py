"""Make the book: execute its notebooks once, write its pages, render and check them."""
