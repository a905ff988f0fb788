def more(config)
  config.vm.network "forwarded_port", guest: 1, host: 1001
end
